import { createHash } from 'node:crypto'
import type { Objects, StoredObject } from './objects.ts'
import { type Payload, readPayload } from './payload.ts'
import { element, Refusal, xml } from './refusal.ts'
import { type Credentials, decodePart, type Signed, verifySignature } from './signature.ts'

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer | string | null
}

export interface Bucket extends Credentials {
  name: string
  objects: Objects
  now(): Date
}

/**
 * What S3 answers to one request to a bucket in path style (`/bucket/key`): PutObject, GetObject, HeadObject,
 * DeleteObject, HeadBucket and ListObjectsV2. Everything else is refused as not implemented.
 * @throws Refusal
 */
export async function answer(request: Signed, body: AsyncIterable<Uint8Array>, bucket: Bucket): Promise<Answer> {
  // "Authenticating requests": nothing is said to who is not known, not even that there is no such bucket.
  const signed = verifySignature(request, bucket, bucket.now())
  const { bucketName, key, query } = readTarget(request.target)
  if (bucketName !== bucket.name) throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist.')
  if (key === '') return ofBucket(request.method, query, bucket)
  for (const name of query.keys()) {
    // The SDK names the operation for the logs; any other parameter asks for another operation or another answer.
    if (name !== 'x-id') throw new Refusal(501, 'NotImplemented', `This stand-in knows no ?${name}.`)
  }
  switch (request.method) {
    case 'PUT': {
      const payload = await readPayload(body, request.headers, signed)
      const stored = toObject(key, payload, request, bucket.now())
      bucket.objects.put(stored)
      return { status: 200, headers: { etag: stored.etag, ...checksumOf(stored) }, body: null }
    }
    case 'GET':
    case 'HEAD': {
      if (request.headers['range'] !== undefined)
        throw new Refusal(501, 'NotImplemented', 'No ranges in this stand-in.')
      const found = bucket.objects.get(key)
      if (found === null) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.')
      // "GetObject", ChecksumMode: only who asks for the checksum gets it.
      const checksum = request.headers['x-amz-checksum-mode'] === 'ENABLED' ? checksumOf(found) : {}
      return { status: 200, headers: { ...headOf(found), ...checksum }, body: found.bytes }
    }
    case 'DELETE':
      // "DeleteObject": 204 whether or not there was one.
      bucket.objects.delete(key)
      return { status: 204, headers: {}, body: null }
    default:
      throw notAllowed
  }
}

const notAllowed = new Refusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')

function ofBucket(method: string, query: URLSearchParams, bucket: Bucket): Answer {
  if (method === 'HEAD') return { status: 200, headers: { 'x-amz-bucket-region': bucket.region }, body: null }
  if (method !== 'GET') throw notAllowed
  if (query.get('list-type') !== '2')
    throw new Refusal(501, 'NotImplemented', 'This stand-in lists by list-type=2 only.')
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: list(query, bucket) }
}

/** "ListObjectsV2": keys behind `start-after` or the token, with the prefix, at most `max-keys` (1,000). */
function list(query: URLSearchParams, { name, objects }: Bucket): string {
  const prefix = query.get('prefix') ?? ''
  const limit = Math.min(Number(query.get('max-keys') ?? '1000'), 1_000)
  if (!Number.isInteger(limit) || limit < 0) throw new Refusal(400, 'InvalidArgument', 'max-keys is no whole number.')
  if (query.has('delimiter')) throw new Refusal(501, 'NotImplemented', 'This stand-in knows no delimiter.')
  const token = query.get('continuation-token')
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString()
  const all = objects.keys()
  const from = after === '' ? 0 : all.findIndex((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
  const matching = (from < 0 ? [] : all.slice(from)).filter((key) => key.startsWith(prefix))
  const page = matching.slice(0, limit)
  const cut = matching.length > page.length
  const contents = page
    .flatMap((key) => objects.get(key) ?? [])
    .map(({ key, modifiedAt, etag, bytes }) =>
      xmlOf('Contents', {
        Key: key,
        LastModified: modifiedAt,
        ETag: etag,
        Size: String(bytes.length),
        StorageClass: 'STANDARD',
      }),
    )
  const next = cut ? element('NextContinuationToken', Buffer.from(page.at(-1) ?? '').toString('base64url')) : ''
  const head = {
    Name: name,
    Prefix: prefix,
    KeyCount: String(page.length),
    MaxKeys: String(limit),
    IsTruncated: String(cut),
  }
  return xml('ListBucketResult', `${fields(head)}${next}${contents.join('')}`)
}

function xmlOf(name: string, members: Record<string, string>): string {
  return `<${name}>${fields(members)}</${name}>`
}

function fields(members: Record<string, string>): string {
  return Object.entries(members)
    .map(([name, value]) => element(name, value))
    .join('')
}

function readTarget(target: string): { bucketName: string; key: string; query: URLSearchParams } {
  const [path = '/', query = ''] = target.split('?')
  const [, bucketName = '', ...rest] = path.split('/')
  return { bucketName: decodePart(bucketName), key: rest.map(decodePart).join('/'), query: new URLSearchParams(query) }
}

function toObject(key: string, { bytes, checksum }: Payload, { headers }: Signed, now: Date): StoredObject {
  return {
    key,
    contentType: String(headers['content-type'] ?? 'binary/octet-stream'),
    etag: `"${createHash('md5').update(bytes).digest('hex')}"`,
    modifiedAt: now.toISOString(),
    checksum,
    bytes,
  }
}

function headOf({ contentType, etag, modifiedAt, bytes }: StoredObject): Record<string, string> {
  return {
    'content-type': contentType,
    'content-length': String(bytes.length),
    etag,
    'last-modified': new Date(modifiedAt).toUTCString(),
    'accept-ranges': 'none',
  }
}

function checksumOf({ checksum }: StoredObject): Record<string, string> {
  return checksum === null ? {} : { [checksum.name]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' }
}
