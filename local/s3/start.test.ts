import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectAclCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from './start.ts'

/** The stand-in as AWS' own client meets it, and what it refuses. */
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
let standIn: S3StandIn
const clients: S3Client[] = []
let s3: S3Client
beforeAll(async () => {
  standIn = await startS3StandIn({ ...credentials, bucket: 'files' })
  s3 = clientOf({})
})
afterAll(async () => {
  for (const client of clients) client.destroy()
  await standIn.close()
})

interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  body?: unknown
}

/** A client; `tamper` changes what it sends after it was signed. */
function clientOf(config: S3ClientConfig, tamper?: (request: Sent) => void): S3Client {
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: standIn.url,
    forcePathStyle: true,
    maxAttempts: 1,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    credentials,
    ...config,
  })
  if (tamper !== undefined) {
    client.middlewareStack.add(
      (next) => (args) => {
        tamper(args.request as Sent)
        return next(args)
      },
      { step: 'deserialize', priority: 'low' },
    )
  }
  clients.push(client)
  return client
}

const put = (client: S3Client, Key: string, Body: string | Readable, more: object = {}) =>
  client.send(new PutObjectCommand({ Bucket: 'files', Key, Body, ...more }))
const stream = (text: string) => ({ body: Readable.from([Buffer.from(text)]), more: { ContentLength: text.length } })

test('what was put is got back with its type, length and checksum, from a text or from a stream', async () => {
  const { body, more } = stream('streamed')
  expect(await put(s3, 'a/b c/ü$+&=~.txt', 'at once', { ContentType: 'text/plain' })).toMatchObject({
    ChecksumCRC32: expect.any(String),
  })
  await put(s3, 'streamed', body, more)
  const got = await s3.send(new GetObjectCommand({ Bucket: 'files', Key: 'a/b c/ü$+&=~.txt' }))
  expect(await got.Body?.transformToString()).toBe('at once')
  expect(got).toMatchObject({ ContentType: 'text/plain', ContentLength: 7, ChecksumCRC32: expect.any(String) })
  expect(await s3.send(new HeadObjectCommand({ Bucket: 'files', Key: 'streamed' }))).toMatchObject({ ContentLength: 8 })
  expect(standIn.keys()).toContain('a/b c/ü$+&=~.txt')
})

test('what is not there is NoSuchKey, deleting it is no fault, and another bucket is NoSuchBucket', async () => {
  await put(s3, 'short-lived', 'x')
  for (const _ of [1, 2]) await s3.send(new DeleteObjectCommand({ Bucket: 'files', Key: 'short-lived' }))
  await expect(s3.send(new GetObjectCommand({ Bucket: 'files', Key: 'short-lived' }))).rejects.toMatchObject({
    name: 'NoSuchKey',
    $metadata: { httpStatusCode: 404 },
  })
  await expect(s3.send(new HeadObjectCommand({ Bucket: 'files', Key: 'short-lived' }))).rejects.toMatchObject({
    name: 'NotFound',
  })
  await expect(s3.send(new GetObjectCommand({ Bucket: 'other', Key: 'x' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  })
  await s3.send(new HeadBucketCommand({ Bucket: 'files' }))
})

test('keys are listed in the order of their bytes, by prefix and in pages', async () => {
  for (const key of ['list/b', 'list/a', 'list/Z', 'list/ü<&']) await put(s3, key, 'x')
  const found: (string | undefined)[] = []
  for (let token: string | undefined, first = true; first || token; first = false) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: 'files', Prefix: 'list/', MaxKeys: 3, ContinuationToken: token }),
    )
    found.push(...(page.Contents ?? []).map(({ Key }) => Key))
    token = page.NextContinuationToken
  }
  expect(found).toEqual(['list/Z', 'list/a', 'list/b', 'list/ü<&'])
})

test.each<
  [string, (client: (config: S3ClientConfig, tamper?: (request: Sent) => void) => S3Client) => S3Client, string]
>([
  ['another secret', (of) => of({ credentials: { ...credentials, secretAccessKey: 'x' } }), 'SignatureDoesNotMatch'],
  ['another key id', (of) => of({ credentials: { ...credentials, accessKeyId: 'x' } }), 'InvalidAccessKeyId'],
  ['another region', (of) => of({ region: 'eu-west-1' }), 'AuthorizationHeaderMalformed'],
  ['a clock that is wrong', (of) => of({ systemClockOffset: 3_600_000 }), 'RequestTimeTooSkewed'],
  [
    'no signature',
    (of) =>
      of({}, (request) => {
        delete request.headers['authorization']
      }),
    'AccessDenied',
  ],
  [
    'another key than was signed',
    (of) =>
      of({}, (request) => {
        request.path += '2'
      }),
    'SignatureDoesNotMatch',
  ],
  [
    'a header that was added on the way',
    (of) =>
      of({}, (request) => {
        request.headers['x-amz-acl'] = 'public-read'
      }),
    'AccessDenied',
  ],
  [
    'another content than was signed',
    (of) =>
      of({}, (request) => {
        request.body = 'other words'
      }),
    'XAmzContentSHA256Mismatch',
  ],
])('%s is refused, and nothing is stored', async (_name, client, name) => {
  await expect(put(client(clientOf), 'refused', 'these words')).rejects.toMatchObject({ name })
  expect(standIn.keys().filter((key) => key.startsWith('refused'))).toEqual([])
})

test.each<[string, (request: Sent) => void, string]>([
  [
    'a byte that changed on its way',
    (request) => {
      request.body = Readable.from(['3\r\nabX\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n'])
    },
    'BadDigest',
  ],
  [
    'fewer bytes than were promised',
    (request) => {
      request.body = Readable.from(['2\r\nab\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n'])
    },
    'IncompleteBody',
  ],
  [
    'a stream without its end',
    (request) => {
      request.body = Readable.from(['3\r\nabc\r\n'])
    },
    'IncompleteBody',
  ],
  [
    'another trailer than was announced',
    (request) => {
      request.body = Readable.from(['3\r\nabc\r\n0\r\nx-amz-checksum-sha1:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\r\n\r\n'])
    },
    'MalformedTrailerError',
  ],
])('%s is refused', async (_name, tamper, name) => {
  const { body, more } = stream('abc')
  await expect(put(clientOf({}, tamper), 'refused', body, more)).rejects.toMatchObject({ name })
  expect(standIn.keys()).not.toContain('refused')
})

test('the checksum of the tests above is that of their words: untouched they are taken', async () => {
  const { body, more } = stream('abc')
  const untouched = clientOf({}, (request) => {
    request.body = Readable.from(['3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n'])
  })
  expect(await put(untouched, 'taken', body, more)).toMatchObject({ ChecksumCRC32: 'NSRBwg==' })
})

test('what it does not know it refuses, rather than to answer something else', async () => {
  await put(s3, 'known', 'x')
  await expect(
    s3.send(new PutObjectAclCommand({ Bucket: 'files', Key: 'known', ACL: 'private' })),
  ).rejects.toMatchObject({ name: 'NotImplemented' })
  await expect(
    s3.send(new GetObjectCommand({ Bucket: 'files', Key: 'known', Range: 'bytes=0-1' })),
  ).rejects.toMatchObject({ name: 'NotImplemented' })
  await expect(put(s3, 'other-sum', 'x', { ChecksumAlgorithm: 'CRC32C' })).rejects.toMatchObject({
    name: 'NotImplemented',
  })
})

/** A client that sends something else than it was asked to, and signs it. */
function preparing(prepare: (request: Sent) => void): S3Client {
  const client = clientOf({})
  client.middlewareStack.add(
    (next) => (args) => {
      prepare(args.request as Sent)
      return next(args)
    },
    { step: 'build', priority: 'low' },
  )
  return client
}

test.each<[string, () => Promise<unknown>, string, number]>([
  ['a wrong checksum', () => put(s3, 'refused', 'x', { ChecksumCRC32: 'AAAAAA==' }), 'BadDigest', 400],
  ['a wrong MD5', () => put(s3, 'refused', 'x', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }), 'BadDigest', 400],
  [
    'a body without its length',
    () =>
      put(
        preparing(({ headers }) => {
          delete headers['content-length']
          headers['transfer-encoding'] = 'chunked'
        }),
        'refused',
        'x',
      ),
    'MissingContentLength',
    411,
  ],
  [
    'chunks that are signed one by one',
    () =>
      put(
        preparing(({ headers }) => {
          headers['x-amz-content-sha256'] = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
        }),
        'refused',
        'x',
      ),
    'NotImplemented',
    501,
  ],
  [
    'another method',
    () =>
      put(
        preparing((request) => {
          request.method = 'POST'
        }),
        'refused',
        'x',
      ),
    'MethodNotAllowed',
    405,
  ],
  [
    'a body that is promised larger than it takes',
    () =>
      put(
        preparing(({ headers }) => {
          headers['x-amz-decoded-content-length'] = '67108865'
        }),
        'refused',
        stream('abc').body,
        stream('abc').more,
      ),
    'EntityTooLarge',
    400,
  ],
  [
    'a page of no whole number',
    () => s3.send(new ListObjectsV2Command({ Bucket: 'files', MaxKeys: 1.5 })),
    'InvalidArgument',
    400,
  ],
  [
    'folders, which it does not know',
    () => s3.send(new ListObjectsV2Command({ Bucket: 'files', Delimiter: '/' })),
    'NotImplemented',
    501,
  ],
  ['the old way to list', () => s3.send(new ListObjectsCommand({ Bucket: 'files' })), 'NotImplemented', 501],
])('%s is refused', async (_name, send, name, status) => {
  await expect(send()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } })
  expect(standIn.keys()).not.toContain('refused')
})

test('a refusal is XML with nothing of the request in it unescaped', async () => {
  const response = await new Promise<{ status: number | undefined; type: string | undefined; text: string }>(
    (resolve, reject) => {
      const sent = httpRequest(`${standIn.url}/files/x`, { path: '/files/<x>&"' }, (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode, type: answer.headers['content-type'], text }))
      })
      sent.on('error', reject)
      sent.end()
    },
  )
  expect(response).toMatchObject({ status: 403, type: 'application/xml' })
  expect(response.text).toContain('<Code>AccessDenied</Code>')
  expect(response.text).toContain('<Resource>/files/&lt;x&gt;&amp;"</Resource>')
})

test('with a folder the objects are there after a restart, whatever their keys', async () => {
  const folder = await mkdtemp(join(tmpdir(), 's3-'))
  try {
    for (const key of ['../../etc/passwd', 'a/../b', '.']) {
      const one = await startS3StandIn({ ...credentials, bucket: 'files', folder })
      const client = clientOf({ endpoint: one.url })
      await put(client, key, `the words of ${key}`)
      await one.close()
      const again = await startS3StandIn({ ...credentials, bucket: 'files', folder })
      const other = clientOf({ endpoint: again.url })
      const got = await other.send(new GetObjectCommand({ Bucket: 'files', Key: key }))
      expect(await got.Body?.transformToString()).toBe(`the words of ${key}`)
      await other.send(new DeleteObjectCommand({ Bucket: 'files', Key: key }))
      expect(again.keys()).toEqual([])
      await again.close()
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
