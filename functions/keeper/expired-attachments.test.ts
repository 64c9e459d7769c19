import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { type ObjectStore, openObjectStore } from '../../shared/attachments/object-store.ts'
import { beginAttachment, finishAttachment } from '../../shared/attachments/rows.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createWorld, type World } from '../../test/world.ts'
import { createKeeper } from './keep.ts'
import { minutes, tickAt } from './testing/scenes.ts'

/** Files whose time is over go by the tick that keeps house: first their bytes, then what is known of them. */
const day = 24 * 60 * minutes
let world: World
let s3: S3StandIn
let store: ObjectStore
let lines: string[]
beforeEach(async () => {
  world = await createWorld()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  s3 = await startS3StandIn({ ...credentials, bucket: 'files' })
  store = openObjectStore({ bucket: 'files', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials })
  lines = []
})
afterEach(async () => {
  await store.close()
  await s3.close()
  await world.close()
})

const keepHouse = async (deleteObject?: (key: string) => Promise<void>) => {
  const log = createLog({}, { write: (line) => void lines.push(line) })
  const keeper = createKeeper({
    ...{ database: world.db.database, now: world.pipeline.now, publish: async () => {} },
    ...(deleteObject === undefined ? {} : { deleteObject }),
  })
  await keeper({ ...tickAt(world.pipeline.now()), data: { task: 'keep-house' } }, { log })
}

async function keepFile(how: 'whole' | 'broken off' = 'whole'): Promise<string> {
  const id = randomUUID()
  const row = { id, identity: 'email:alice@example.com', caller: 'alice', name: 'a.txt', mediaType: 'text/plain' }
  const { object } = await beginAttachment(world.db.database, { ...row, bytes: 5 }, world.pipeline.now())
  if (how === 'broken off') return id
  const body = async function* () {
    yield Buffer.from('words')
  }
  await store.put(object, body(), { bytes: 5, mediaType: 'text/plain', signal: new AbortController().signal })
  await finishAttachment(world.db.database, id, Buffer.alloc(32), world.pipeline.now())
  return id
}

const ids = async () => (await world.db.database<{ id: string }[]>`select id from attachments`).map(({ id }) => id)

test('a file is kept for thirty days, an upload that was broken off for an hour, then they are gone', async () => {
  const whole = await keepFile()
  await keepFile('broken off')
  await keepHouse(store.delete)
  expect(await ids()).toHaveLength(2)
  world.pipeline.pass(61 * minutes)
  await keepHouse(store.delete)
  expect(await ids()).toEqual([whole])
  world.pipeline.pass(29.9 * day)
  await keepHouse(store.delete)
  expect(s3.keys()).toEqual([`default/${whole}`])
  world.pipeline.pass(day)
  await keepHouse(store.delete)
  expect([await ids(), s3.keys()]).toEqual([[], []])
})

test('many go in one tick, also those whose object is gone already', async () => {
  for (let n = 0; n < 35; n += 1) await keepFile()
  const first = s3.keys()[0] ?? ''
  await store.delete(first)
  world.pipeline.pass(31 * day)
  await keepHouse(store.delete)
  expect([await ids(), s3.keys()]).toEqual([[], []])
})

test('a row never goes before its object, and what one object does keeps no other', async () => {
  const stubborn = await keepFile()
  for (let n = 0; n < 12; n += 1) await keepFile()
  world.pipeline.pass(31 * day)
  const refusing = async (key: string): Promise<void> => {
    if (key.endsWith(stubborn)) throw new Error('not this one')
    await store.delete(key)
  }
  await expect(keepHouse(refusing)).rejects.toMatchObject({ code: 'stage.failed' })
  expect([await ids(), s3.keys()]).toEqual([[stubborn], [`default/${stubborn}`]])
  await keepHouse(store.delete)
  expect([await ids(), s3.keys()]).toEqual([[], []])
})

test('a store that is away is asked once a tick, and the rest of the house is kept', async () => {
  for (let n = 0; n < 25; n += 1) await keepFile()
  await world.db.database`
    insert into inbox (consumer, source, event, state, finished_at) values ('a', 'b', 'c', 'finished', '2020-01-01')`
  world.pipeline.pass(31 * day)
  const before = s3.requests.length
  s3.slowDown(true)
  await expect(keepHouse(store.delete)).rejects.toMatchObject({ code: 'attachment.store-unavailable' })
  // One batch, each with the client's one retry.
  expect(s3.requests.length - before).toBe(20)
  expect(await world.db.database`select 1 from inbox where consumer = 'a'`).toEqual([])
  s3.slowDown(false)
  await keepHouse(store.delete)
  expect([await ids(), s3.keys()]).toEqual([[], []])
})

test('without a store the rows stay, for they alone know where the bytes are', async () => {
  const id = await keepFile()
  world.pipeline.pass(31 * day)
  await keepHouse()
  expect(await ids()).toEqual([id])
})
