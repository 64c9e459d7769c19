import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../../local/s3/start.ts'
import { type ObjectStore, openObjectStore } from '../../attachments/object-store.ts'
import { createMemoryInbox } from './testing/memory-inbox.ts'
import { company, plainMail, type RunningMail, startMail } from './testing/running-email.ts'

/** Files of mails: in the object store, as those of the person; what is not taken is said in the answer. */
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
let s3: S3StandIn
let store: ObjectStore
let mail: RunningMail
const start = async (limit: number | null) => {
  const inbox = createMemoryInbox()
  const put = async (raw: Buffer | string, arrived: Date) => void inbox.add(raw, arrived)
  const files = limit === null ? null : { store, limit }
  mail = await startMail(async () => ({ open: inbox.open, put, close: async () => {} }), { files })
}
beforeEach(async () => {
  s3 = await startS3StandIn({ ...credentials, bucket: 'files' })
  store = openObjectStore({ bucket: 'files', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials })
})
afterEach(async () => {
  await mail.close()
  await store.close()
  await s3.close()
})

const raw = async () => {
  const bytes = readFileSync(join(import.meta.dirname, 'testing/messages/attachment.eml'), 'latin1')
  return company.sign(bytes.replace('The quote is attached.', 'refresh').replace(/\r?\n/g, '\r\n'))
}
const kept = () => mail.world.db.database<
  { name: string; identity: string; media_type: string; sent: boolean; object: string }[]
>`
  select name, identity, media_type, request is not null as sent, object from attachments`
const said = () => mail.smtp.received.at(-1)?.parsed.text ?? ''

test('a file goes to the store with its message; a program does not, and that is said', async () => {
  await start(1_000_000)
  await mail.arrive(await raw())
  const [file, ...more] = await kept()
  expect(more).toEqual([])
  expect(file).toMatchObject({
    ...{ name: 'quote.pdf', identity: 'email:alice.johnson@company.com', media_type: 'application/pdf', sent: true },
  })
  const object = await store.get(file?.object ?? '', AbortSignal.timeout(5_000))
  expect(await new Response(object.body).text()).toContain('%PDF-1.7')
  expect(said()).toContain('I did not take these files:\n- setup.exe: files of this kind are not taken')
  expect(said()).toContain('eligible')
})

test.each([
  [null, 'files are not taken here'],
  [5, 'it is larger than'],
])('with a limit of %j the file stays out, the message does not', async (limit, why) => {
  await start(limit)
  await mail.arrive(await raw())
  expect(await kept()).toEqual([])
  expect(said()).toContain(`- quote.pdf: ${why}`)
})

test('a store that is away holds the mail back, and the next tick takes both, once', async () => {
  await start(1_000_000)
  const { url } = s3
  const away = openObjectStore({
    bucket: 'files',
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    pathStyle: true,
    credentials,
  })
  const { put } = store
  store.put = away.put
  await mail.post.put(await raw(), mail.world.pipeline.now())
  await expect(mail.tick()).rejects.toMatchObject({ code: 'attachment.store-unavailable' })
  expect(mail.smtp.received).toEqual([])
  store.put = put
  await mail.tick()
  expect(url).toBe(s3.url)
  expect(await kept()).toMatchObject([{ name: 'quote.pdf', sent: true }])
  expect(mail.smtp.received).toHaveLength(1)
  await away.close()
})

test('a plain mail needs no store', async () => {
  await start(null)
  const headers = { From: 'alice.johnson@company.com', 'Message-ID': '<1@company.com>' }
  await mail.arrive(await company.sign(plainMail(headers, 'refresh', mail.world.pipeline.now())))
  expect(said()).not.toContain('did not take')
})
