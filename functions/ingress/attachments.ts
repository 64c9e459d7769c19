import { createHash, type Hash } from 'node:crypto'
import { attachmentDisposition, cleanFileName, readFileName } from '../../shared/attachments/file-name.ts'
import { beginsLike, headBytes, mediaTypes, readMediaType } from '../../shared/attachments/media-types.ts'
import type { ObjectStore } from '../../shared/attachments/object-store.ts'
import {
  type Attachment,
  abandonAttachment,
  beginAttachment,
  findAttachment,
  finishAttachment,
} from '../../shared/attachments/rows.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { type AttachmentBody, attachmentQuery } from './bodies.ts'
import { personOf } from './read-question.ts'

export interface AttachmentParts {
  database: Database
  /** null: this deployment keeps none. */
  attachments: { store: ObjectStore; limit: number } | null
  now(): Date
  newId(): string
  log: Log
}

/** Milliseconds that one upload may take, far less than its row waits for it. */
const longestUpload = 300_000

/**
 * Takes a file: its bytes go through to the object store as they come, and are counted and hashed on the way.
 * @throws Fault `attachment.not-configured`, `attachment.type-refused`, `attachment.length-required`,
 *   `attachment.too-large`, `request.malformed`, `request.unsupported-media`, `identity.forbidden`,
 *   `attachment.store-unavailable`, `attachment.store-misconfigured`
 */
export async function takeAttachment(parts: AttachmentParts, request: Request, caller: Caller): Promise<Response> {
  const { database, now, log } = parts
  const { store, limit } = configured(parts)
  const query = attachmentQuery.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (!query.success) throw new Fault('request.malformed', 'user_id: an e-mail address; name: 1,000 characters at most')
  const identity = `email:${personOf(query.data.user_id, caller)}`
  const mediaType = mediaTypeOf(request.headers)
  const bytes = lengthOf(request.headers, limit)
  const disposition = readFileName(request.headers.get('content-disposition'))
  const name = disposition ?? cleanFileName(query.data.name ?? '')
  const body = await openBody(request)
  if (!beginsLike(mediaType, body.head)) {
    await body.close()
    throw new Fault('attachment.type-refused', `the file does not begin like ${mediaType}`)
  }
  const id = parts.newId()
  const begun = await beginAttachment(database, { id, identity, caller: caller.subject, name, mediaType, bytes }, now())
  const hash = createHash('sha256')
  try {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(longestUpload)])
    await store.put(begun.object, countBytes(body, bytes, hash), { bytes, mediaType, signal })
  } catch (error) {
    await body.close()
    await abandonAttachment(database, id, now()).catch((cause: unknown) =>
      log.warn('a broken-off upload stays until its row is over', { attachment: id, error: cause }),
    )
    throw request.signal.aborted ? new Fault('request.malformed', 'the caller left before the file was there') : error
  }
  const sha256 = hash.digest()
  const expiresAt = await finishAttachment(database, id, sha256, now())
  if (expiresAt === null) {
    // The person's data was deleted while the bytes were on their way.
    await store.delete(begun.object)
    throw new Fault('request.not-found', 'the file was deleted while it was sent')
  }
  log.info('attachment taken', { attachment: id, bytes, mediaType })
  const answer: AttachmentBody = {
    ...describeAttachment({ ...begun, expiresAt }),
    sha256: sha256.toString('hex'),
  }
  return Response.json(answer, { status: 201, headers: { location: `/api/v1/attachments/${id}` } })
}

/**
 * Gives a file back to whose it is: to be saved, never to be shown.
 * @throws Fault `attachment.not-configured`, `request.not-found`, `attachment.missing`,
 *   `attachment.store-unavailable`, `attachment.store-misconfigured`
 */
export async function giveAttachment(
  parts: AttachmentParts,
  request: Request,
  caller: Caller,
  id: string,
): Promise<Response> {
  const { store } = configured(parts)
  const identity = caller.email === null ? null : `email:${caller.email}`
  const found = identity === null ? null : await findAttachment(parts.database, id, identity)
  if (found === null) throw new Fault('request.not-found', 'no attachment of yours has this id')
  if (found.expiresAt <= parts.now()) {
    throw new Fault('attachment.missing', `the file was kept until ${found.expiresAt.toISOString()}`)
  }
  const headers = {
    'content-type': found.mediaType,
    'content-length': String(found.bytes),
    'content-disposition': attachmentDisposition(found.name),
  }
  if (request.method === 'HEAD') return new Response(null, { headers })
  const { bytes, body } = await store.get(found.object, request.signal)
  if (bytes !== found.bytes) {
    await body.cancel()
    throw new Fault('attachment.missing', 'the file that is kept is not the one that was sent')
  }
  return new Response(body, { headers })
}

/** An attachment as the API shows it. */
export function describeAttachment(attachment: Attachment): Omit<AttachmentBody, 'sha256'> {
  const { id, name, mediaType, bytes, expiresAt } = attachment
  return { id, name, media_type: mediaType, bytes, expires_at: expiresAt.toISOString() }
}

function configured({ attachments }: AttachmentParts): { store: ObjectStore; limit: number } {
  if (attachments === null) throw new Fault('attachment.not-configured', 'S3_BUCKET is not set')
  return attachments
}

function mediaTypeOf(headers: Headers): string {
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new Fault('request.unsupported-media', 'a Content-Encoding is not taken')
  }
  const mediaType = readMediaType(headers.get('content-type'))
  if (mediaType === null) throw new Fault('attachment.type-refused', `Content-Type: one of ${mediaTypes.join(', ')}`)
  return mediaType
}

/** The store has to know the length before the first byte, and so does the limit. */
function lengthOf(headers: Headers, limit: number): number {
  const declared = headers.get('content-length')
  if (declared === null || !/^\d{1,15}$/.test(declared)) {
    throw new Fault(
      'attachment.length-required',
      `send the file again with its size in bytes as Content-Length, not as a stream in chunks; at most ${limit}`,
    )
  }
  const bytes = Number(declared)
  if (bytes > limit) throw new Fault('attachment.too-large', `the file has ${bytes} bytes, the limit is ${limit}`)
  if (bytes === 0) throw new Fault('request.malformed', 'the file is empty')
  return bytes
}

interface Body {
  /** What is read already: as much as tells the type, or all there is. */
  head: Uint8Array
  /** The next bytes; null: there are no more. */
  next(): Promise<Uint8Array | null>
  /** Says that the rest is not wanted. */
  close(): Promise<void>
}

async function openBody(request: Request): Promise<Body> {
  const reader = request.body?.getReader()
  const next = async (): Promise<Uint8Array | null> => {
    try {
      const read = await reader?.read()
      return read === undefined || read.done ? null : read.value
    } catch (cause) {
      throw new Fault('request.malformed', 'the file broke off', { cause })
    }
  }
  const chunks: Uint8Array[] = []
  for (let size = 0; size < headBytes; ) {
    const chunk = await next()
    if (chunk === null) break
    chunks.push(chunk)
    size += chunk.byteLength
  }
  return {
    head: Buffer.concat(chunks),
    next,
    // One that broke off is closed.
    close: async () => await reader?.cancel().catch(() => {}),
  }
}

/** The bytes of a body, each once; what is more or less than was said ends it. */
async function* countBytes(body: Body, declared: number, hash: Hash): AsyncGenerator<Uint8Array> {
  let size = 0
  for (let chunk: Uint8Array | null = body.head; chunk !== null; chunk = await body.next()) {
    size += chunk.byteLength
    if (size > declared)
      throw new Fault('request.malformed', `the file has more than the ${declared} bytes it came with`)
    hash.update(chunk)
    if (chunk.byteLength > 0) yield chunk
  }
  if (size < declared) throw new Fault('request.malformed', `the file has ${size} bytes, ${declared} were announced`)
}
