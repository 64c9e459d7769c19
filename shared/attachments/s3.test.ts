import { createServer } from 'node:net'
import { setImmediate as yieldOnce } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { type ObjectStore, openObjectStore } from './object-store.ts'
import type { ObjectStoreSettings } from './settings.ts'

let standIn: S3StandIn
let settings: ObjectStoreSettings
beforeAll(async () => {
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  standIn = await startS3StandIn({ ...credentials, bucket: 'files' })
  settings = { bucket: 'files', region: 'us-east-1', endpoint: standIn.url, pathStyle: true, credentials }
})
afterAll(() => standIn.close())

async function* chunks(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n += 1) {
    yield Buffer.alloc(size, n)
    await yieldOnce()
  }
}
const never = new AbortController().signal
const everyWork = [
  (store: ObjectStore) => store.put('x', chunks(1, 5), object(5)),
  (store: ObjectStore) => store.get('x', never),
  (store: ObjectStore) => store.delete('x'),
]
const object = (bytes: number) => ({ bytes, mediaType: 'text/plain', signal: never })

test('what is put in pieces comes back whole, and is gone once it is deleted, twice if need be', async () => {
  const store = openObjectStore(settings)
  await store.put('default/a', chunks(30, 10_000), object(300_000))
  const { bytes, body } = await store.get('default/a', never)
  expect(bytes).toBe(300_000)
  expect(Buffer.from(await new Response(body).arrayBuffer()).at(-1)).toBe(29)
  await store.delete('default/a')
  await store.delete('default/a')
  await expect(store.get('default/a', never)).rejects.toMatchObject({ code: 'attachment.missing', status: 410 })
  await store.close()
})

test('a large one goes through, too, which is asked for before it is sent', async () => {
  const store = openObjectStore(settings)
  await store.put('default/large', chunks(80, 131_072), object(10_485_760))
  const { bytes, body } = await store.get('default/large', never)
  expect([bytes, (await new Response(body).arrayBuffer()).byteLength]).toEqual([10_485_760, 10_485_760])
  await store.close()
})

test('a body that fails in the middle is its own error, and nothing is stored', async () => {
  const store = openObjectStore(settings)
  const broken = async function* () {
    yield* chunks(2, 70_000)
    throw new Error('the sender is gone')
  }
  await expect(store.put('default/b', broken(), object(500_000))).rejects.toThrow('the sender is gone')
  const atOnce = async function* () {
    yield* chunks(0, 0)
    throw new Error('gone before the first byte')
  }
  await expect(store.put('default/b', atOnce(), object(5))).rejects.toThrow('gone before the first byte')
  expect(standIn.keys()).not.toContain('default/b')
  await store.close()
})

test('whoever has not the right key is told what kind of fault it is, without the key', async () => {
  for (const wrong of [
    { credentials: { accessKeyId: 'key', secretAccessKey: 'guessed-secret' } },
    { credentials: { accessKeyId: 'other', secretAccessKey: 'secret' } },
    { bucket: 'other' },
    { region: 'eu-west-1' },
  ]) {
    const store = openObjectStore({ ...settings, ...wrong })
    for (const work of everyWork) {
      const fault: unknown = await work(store).catch((error: unknown) => error)
      expect(fault).toMatchObject({ code: 'attachment.store-misconfigured', class: 'retryable' })
      expect(String(fault)).not.toContain('guessed-secret')
    }
    await store.close()
  }
})

test('a store that is away, or too busy, may come back', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const address = closed.address()
  await new Promise((resolve) => closed.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  const away = openObjectStore({ ...settings, endpoint: `http://127.0.0.1:${address.port}` })
  const busy = openObjectStore(settings)
  standIn.slowDown(true)
  for (const store of [away, busy]) {
    for (const work of everyWork) {
      await expect(work(store)).rejects.toMatchObject({ code: 'attachment.store-unavailable', status: 503 })
    }
    await store.close()
  }
  standIn.slowDown(false)
})

test('a caller who is not interested any more ends it', async () => {
  const store = openObjectStore(settings)
  const leaving = new AbortController()
  const slow = async function* () {
    yield* chunks(2, 1_000)
    leaving.abort()
    yield* chunks(2, 1_000)
  }
  const put = store.put('default/c', slow(), { ...object(1_000_000), signal: leaving.signal })
  await expect(put).rejects.toMatchObject({ code: 'attachment.store-unavailable' })
  expect(standIn.keys()).not.toContain('default/c')
  await store.close()
})
