import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type ObjectStore, openObjectStore } from '../attachments/object-store.ts'
import { beginAttachment, finishAttachment } from '../attachments/rows.ts'
import { erasePerson, leftToKeeper } from './erase.ts'

/** A person's files go with the rest of what is kept about them. */
const alice = 'alice@example.com'
const now = new Date('2026-11-25T09:00:00Z')
const options = { email: alice, by: 'ops', now, dry: false }
let db: TestDatabase
let s3: S3StandIn
let store: ObjectStore
beforeAll(async () => {
  db = await createTestDatabase()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  s3 = await startS3StandIn({ ...credentials, bucket: 'files' })
  store = openObjectStore({ bucket: 'files', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials })
})
afterAll(async () => {
  await store.close()
  await s3.close()
  await db.drop()
})
afterEach(async () => {
  s3.slowDown(false)
  await db.database`delete from attachments`
  for (const key of s3.keys()) await store.delete(key)
})

async function keepFile(email: string, caller = email): Promise<string> {
  const id = randomUUID()
  const row = { id, identity: `email:${email}`, caller, name: 'a.txt', mediaType: 'text/plain', bytes: 5 }
  const { object } = await beginAttachment(db.database, row, now)
  const body = async function* () {
    yield Buffer.from('words')
  }
  await store.put(object, body(), { bytes: 5, mediaType: 'text/plain', signal: new AbortController().signal })
  await finishAttachment(db.database, id, Buffer.alloc(32), now)
  return id
}
const rows = async () => await db.database`select id, caller from attachments order by created_at, id`

test("the person's objects and rows go, other people's stay and forget who sent them", async () => {
  for (let n = 0; n < 3; n += 1) await keepFile(alice)
  const bobs = await keepFile('bob@example.com', alice)
  const erased = await erasePerson(db.database, { ...options, deleteObject: store.delete })
  expect(erased).toMatchObject({ attachments: 3, 'attachments of others': 1 })
  expect(await rows()).toEqual([{ id: bobs, caller: 'erased' }])
  expect(s3.keys()).toEqual([`default/${bobs}`])
  expect(await erasePerson(db.database, { ...options, deleteObject: store.delete })).toBeNull()
})

test('a dry run counts them and touches nothing', async () => {
  await keepFile(alice)
  expect(await erasePerson(db.database, { ...options, dry: true, deleteObject: store.delete })).toMatchObject({
    attachments: 1,
  })
  expect(s3.keys()).toHaveLength(1)
  expect(await rows()).toHaveLength(1)
})

test('a store that is away ends the run, and the next one goes on where it was', async () => {
  for (let n = 0; n < 3; n += 1) await keepFile(alice)
  s3.slowDown(true)
  await expect(erasePerson(db.database, { ...options, deleteObject: store.delete })).rejects.toMatchObject({
    code: 'attachment.store-unavailable',
  })
  expect(await rows()).toHaveLength(3)
  s3.slowDown(false)
  expect(await erasePerson(db.database, { ...options, deleteObject: store.delete })).toMatchObject({ attachments: 3 })
  expect([await rows(), s3.keys()]).toEqual([[], []])
})

test('without a store the keeper is left to delete them at its next tick', async () => {
  await keepFile(alice)
  expect(await erasePerson(db.database, options)).toMatchObject({ attachments: 0, [leftToKeeper]: 1 })
  expect(await db.database`select expires_at from attachments`).toEqual([{ expires_at: now }])
  // The rows still name the person, so a later run with the store finds them.
  expect(await erasePerson(db.database, { ...options, deleteObject: store.delete })).toMatchObject({ attachments: 1 })
})
