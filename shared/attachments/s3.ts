import { Readable } from 'node:stream'
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Fault } from '../errors/fault.ts'
import type { ObjectStore } from './object-store.ts'
import type { ObjectStoreSettings } from './settings.ts'

/** Milliseconds: to connect; without a byte either way; for a deletion in all, which a tick waits for. */
const connectMs = 2_000
const silentMs = 20_000
const deleteMs = 3_000

/** S3 by AWS' own client. Its retries are few: whoever calls has retries of their own. */
export function openS3(settings: ObjectStoreSettings): ObjectStore {
  const { bucket, region, endpoint, pathStyle, credentials } = settings
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    maxAttempts: 2,
    // Every error of it is thrown as well; left alone it writes some to the console.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silentMs },
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null ? {} : { credentials }),
  })
  return {
    async put(key, body, { bytes, mediaType, signal }) {
      const given = stopsQuietly(body)
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: given.stream,
        ContentLength: bytes,
        ContentType: mediaType,
      })
      try {
        await client.send(command, { abortSignal: AbortSignal.any([signal, given.stopped]) })
      } catch (error) {
        throw given.failure() ?? toStoreFault(error)
      } finally {
        given.stream.destroy()
      }
    },
    async get(key, signal) {
      try {
        const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
          abortSignal: signal,
        })
        if (!(Body instanceof Readable) || ContentLength === undefined) {
          throw new Fault('attachment.store-unavailable', 'the object came without a body or its length')
        }
        return { bytes: ContentLength, body: Readable.toWeb(Body) as ReadableStream<Uint8Array> }
      } catch (error) {
        throw toStoreFault(error)
      }
    },
    async delete(key) {
      try {
        const command = new DeleteObjectCommand({ Bucket: bucket, Key: key })
        await client.send(command, { abortSignal: AbortSignal.timeout(deleteMs) })
      } catch (error) {
        const fault = toStoreFault(error)
        // S3 says so of itself; other servers answer 404.
        if (fault.code !== 'attachment.missing') throw fault
      }
    },
    async close() {
      client.destroy()
    },
  }
}

/**
 * A body as the client's stream that never fails: nobody listens for errors of the streams that the client makes of it
 * (3.1175), so that one would end the process. A failure stops the request instead, and is asked for afterwards.
 */
function stopsQuietly(body: AsyncIterable<Uint8Array>) {
  const stopping = new AbortController()
  let failure: Error | undefined
  const chunks = async function* () {
    try {
      yield* body
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      // Without an end: what came so far must not pass for the whole.
      stream.destroy()
      stopping.abort()
    }
  }
  const stream: Readable = Readable.from(chunks(), { objectMode: false })
  return { stream, stopped: stopping.signal, failure: () => failure }
}

/** Names by which S3 says that this deployment's settings are wrong, whatever the object. */
const misconfigured = new Set([
  'AccessDenied',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'InvalidAccessKeyId',
  'NoSuchBucket',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
])

/** What the client throws, as a Fault; its message stays in the cause: some quote the key id or the signature. */
function toStoreFault(error: unknown): Fault {
  if (Fault.is(error)) return error
  const name = error instanceof Error ? error.name : 'unknown'
  if (name === 'NoSuchKey' || name === 'NotFound')
    return new Fault('attachment.missing', 'the file is not there any more')
  const code = misconfigured.has(name) ? 'attachment.store-misconfigured' : 'attachment.store-unavailable'
  return new Fault(code, `S3: ${name}`, { cause: error })
}
