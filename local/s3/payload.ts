import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Refusal } from './refusal.ts'

/** Larger ones a stand-in need not take; S3 takes 5 GiB in one piece. */
const largest = 64 * 1024 * 1024

/** "Checking object integrity": those that Node calculates by itself. */
const algorithms: Record<string, (bytes: Uint8Array) => string> = {
  'x-amz-checksum-crc32': (bytes) => {
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(bytes))
    return sum.toString('base64')
  },
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest('base64'),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
}

export interface Payload {
  bytes: Buffer
  /** The checksum that came with it and was true: the header's name and its value. */
  checksum: { name: string; value: string } | null
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * Reads a body in the form that its signature names: as it is with its SHA-256 (or UNSIGNED-PAYLOAD), or in chunks with a
 * checksum behind them (STREAMING-UNSIGNED-PAYLOAD-TRAILER), which is how AWS' own clients send a stream.
 * @throws Refusal where the body is not what was signed, or its length or checksum is not what was said
 */
export async function readPayload(body: AsyncIterable<Uint8Array>, headers: Headers, signed: string): Promise<Payload> {
  const decodedLength = headers['x-amz-decoded-content-length']
  const streamed = signed.startsWith('STREAMING-')
  if (streamed && signed !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new Refusal(501, 'NotImplemented', `This stand-in does not read ${signed}.`)
  }
  // "PutObject": the length has to be known beforehand, of the content if not of the chunks around it.
  const length = readLength(streamed ? decodedLength : headers['content-length'])
  if (length > largest) throw new Refusal(400, 'EntityTooLarge', `This stand-in takes ${largest} bytes at most.`)
  const raw = await readAll(body)
  const { bytes, trailers } = streamed ? unwrapChunks(raw) : { bytes: raw, trailers: {} }
  if (bytes.length !== length) {
    throw new Refusal(400, 'IncompleteBody', `The body has ${bytes.length} bytes, ${length} were promised.`)
  }
  if (!streamed && signed !== 'UNSIGNED-PAYLOAD' && createHash('sha256').update(bytes).digest('hex') !== signed) {
    throw new Refusal(400, 'XAmzContentSHA256Mismatch', 'x-amz-content-sha256 does not match what was computed.')
  }
  // "Trailing checksums": what x-amz-trailer announces has to come, and nothing else.
  const announced = headers['x-amz-trailer']
  const came = Object.keys(trailers)
  if (streamed && (came.length !== 1 || came[0] !== announced)) {
    throw new Refusal(400, 'MalformedTrailerError', 'The trailer is not the one that x-amz-trailer announces.')
  }
  return { bytes, checksum: verifyChecksum(bytes, { ...headers, ...trailers }) }
}

function readLength(value: string | string[] | undefined): number {
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value)
  throw new Refusal(411, 'MissingContentLength', 'The Content-Length HTTP header has to be given.')
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    // The chunks' own lines come on top.
    if (size > largest * 1.1) throw new Refusal(400, 'EntityTooLarge', `This stand-in takes ${largest} bytes at most.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** "Transferring Payload in Multiple Chunks": size in hex, the bytes; size 0; then trailing headers. */
function unwrapChunks(raw: Buffer): { bytes: Buffer; trailers: Record<string, string> } {
  const broken = new Refusal(400, 'IncompleteBody', 'The chunks do not end as they should.')
  const chunks: Buffer[] = []
  let at = 0
  const line = (): string => {
    const end = raw.indexOf('\r\n', at)
    if (end < 0) throw broken
    const found = raw.toString('latin1', at, end)
    at = end + 2
    return found
  }
  for (;;) {
    const size = /^([0-9a-f]+)$/i.exec(line())?.[1]
    if (size === undefined) throw broken
    const length = Number.parseInt(size, 16)
    if (length === 0) break
    chunks.push(raw.subarray(at, at + length))
    at += length
    if (line() !== '') throw broken
  }
  const trailers: Record<string, string> = {}
  for (let next = line(); next !== ''; next = line()) {
    const colon = next.indexOf(':')
    trailers[next.slice(0, colon).toLowerCase()] = next.slice(colon + 1).trim()
  }
  return { bytes: Buffer.concat(chunks), trailers }
}

/** @throws Refusal `BadDigest` ("PutObject": the checksum that was given did not match) */
function verifyChecksum(bytes: Buffer, headers: Headers): Payload['checksum'] {
  const name = Object.keys(headers).find((header) => /^x-amz-checksum-(crc|sha)/.test(header))
  const md5 = headers['content-md5']
  if (md5 !== undefined && md5 !== createHash('md5').update(bytes).digest('base64')) {
    throw new Refusal(400, 'BadDigest', 'The Content-MD5 that was given did not match what was received.')
  }
  if (name === undefined) return null
  const calculate = algorithms[name]
  if (calculate === undefined) throw new Refusal(501, 'NotImplemented', `This stand-in does not calculate ${name}.`)
  const value = calculate(bytes)
  if (headers[name] !== value) {
    throw new Refusal(400, 'BadDigest', `The ${name} that was given did not match what was received.`)
  }
  return { name, value }
}
