import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Refusal } from './refusal.ts'

/** A request as it came over the wire: nothing of it decoded yet. */
export interface Signed {
  method: string
  /** Path and query, as in the request line. */
  target: string
  headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  region: string
}

/** "Authenticating requests": a request may be this far from the server's clock, in milliseconds. */
const skewMs = 15 * 60_000

const form =
  /^AWS4-HMAC-SHA256 +Credential=([^/, ]+)\/(\d{8})\/([^/, ]+)\/([^/, ]+)\/aws4_request, *SignedHeaders=([a-z0-9;.-]+), *Signature=([0-9a-f]{64})$/

/**
 * Verifies Signature Version 4 in the Authorization header ("Authenticating Requests: Using the Authorization Header",
 * Amazon S3 API Reference) and returns what the signature says of the payload: its SHA-256 or one of the markers.
 * @throws Refusal as S3 refuses it
 */
export function verifySignature(request: Signed, credentials: Credentials, now: Date): string {
  const authorization = text(request.headers['authorization'])
  if (authorization === null) throw new Refusal(403, 'AccessDenied', 'Access Denied.')
  const [, keyId, day, region, service, names, signature] = form.exec(authorization) ?? []
  if (keyId === undefined || day === undefined || names === undefined || signature === undefined) {
    throw new Refusal(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.')
  }
  if (region !== credentials.region || service !== 's3') {
    const message = `The authorization header is malformed; the scope has to be ${credentials.region}/s3.`
    throw new Refusal(400, 'AuthorizationHeaderMalformed', message)
  }
  if (keyId !== credentials.accessKeyId) {
    throw new Refusal(403, 'InvalidAccessKeyId', 'The access key ID that was given does not exist here.')
  }
  const time = readTime(text(request.headers['x-amz-date']))
  if (time === null || time.text.slice(0, 8) !== day) {
    throw new Refusal(403, 'AccessDenied', 'A valid x-amz-date of the day of the scope is required.')
  }
  if (Math.abs(now.getTime() - time.at) > skewMs) {
    throw new Refusal(403, 'RequestTimeTooSkewed', 'The time of the request and of the server differ too much.')
  }
  const signed = names.split(';')
  // "The CanonicalHeaders list must include" the host and every x-amz-* header of the request.
  const owed = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  if (owed.some((name) => !signed.includes(name))) {
    throw new Refusal(403, 'AccessDenied', 'There were headers present in the request which were not signed.')
  }
  const payload = text(request.headers['x-amz-content-sha256'])
  if (payload === null) {
    throw new Refusal(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  const canonical = canonicalRequest(request, signed, payload)
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time.text, scope, sha256(canonical)].join('\n')
  const expected = hmac(signingKey(credentials.secretAccessKey, day, region, service), toSign)
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) {
    const message = 'The request signature that was calculated does not match the signature that was provided.'
    throw new Refusal(403, 'SignatureDoesNotMatch', message)
  }
  return payload
}

function canonicalRequest(request: Signed, signed: readonly string[], payload: string): string {
  const [path = '/', query = ''] = request.target.split('?')
  const headers = signed.map((name) => {
    const value = text(request.headers[name]) ?? ''
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`
  })
  // S3 encodes the path once, unlike other services ("Task 1: Create a canonical request").
  const canonicalPath = path.split('/').map(encodeAgain).join('/')
  const canonicalQuery = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      return at < 0 ? `${encodeAgain(part)}=` : `${encodeAgain(part.slice(0, at))}=${encodeAgain(part.slice(at + 1))}`
    })
    .sort()
    .join('&')
  return [request.method, canonicalPath, canonicalQuery, headers.join(''), signed.join(';'), payload].join('\n')
}

/** One spelling for what may be percent-encoded in several ("UriEncode": all but A-Z a-z 0-9 - . _ ~). */
function encodeAgain(part: string): string {
  return encodeURIComponent(decodePart(part)).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** @throws Refusal where the percent-encoding is broken */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Refusal(400, 'InvalidURI', 'The URI could not be parsed.')
  }
}

/** The key for one day, region and service ("Task 3: Calculate signature"). */
function signingKey(secret: string, day: string, region: string, service: string): Buffer {
  return [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`))
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest()
}

function sha256(message: string): string {
  return createHash('sha256').update(message).digest('hex')
}

function readTime(value: string | null): { text: string; at: number } | null {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value ?? '') ?? []
  if (value === null || year === undefined) return null
  return { text: value, at: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) }
}

function text(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  return Array.isArray(value) ? value.join(',') : value
}
