import { expect, test } from 'vitest'
import { verifySignature } from './signature.ts'

/** The worked examples of AWS' own page on this ("Signature Calculations for the Authorization Header", single chunk). */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
}
const now = new Date('2013-05-24T00:00:00Z')
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const welcome = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'

const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`
const request = (
  method: string,
  target: string,
  signed: string,
  signature: string,
  more: Record<string, string> = {},
) => ({
  method,
  target,
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-content-sha256': empty,
    authorization: authorization(signed, signature),
    ...more,
  },
})
const plain = 'host;x-amz-content-sha256;x-amz-date'
const getObject = request(
  'GET',
  '/test.txt',
  `host;range;x-amz-content-sha256;x-amz-date`,
  'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  { range: 'bytes=0-9' },
)

test.each([
  ['GetObject', getObject, empty],
  [
    'PutObject',
    request(
      'PUT',
      '/test%24file.text',
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': welcome,
      },
    ),
    welcome,
  ],
  [
    'a parameter without a value',
    request('GET', '/?lifecycle', plain, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'),
    empty,
  ],
  [
    'two parameters, in another order than they are signed in',
    request('GET', '/?prefix=J&max-keys=2', plain, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'),
    empty,
  ],
])("AWS' example of %s is taken", (_name, signed, payload) => {
  expect(verifySignature(signed, credentials, now)).toBe(payload)
})

const changed = (headers: Record<string, string | undefined>) => ({
  ...getObject,
  headers: { ...getObject.headers, ...headers },
})
test.each([
  ['another method', { ...getObject, method: 'PUT' }, 'SignatureDoesNotMatch'],
  ['another path', { ...getObject, target: '/test.txt2' }, 'SignatureDoesNotMatch'],
  ['one more parameter', { ...getObject, target: '/test.txt?acl' }, 'SignatureDoesNotMatch'],
  ['another host', changed({ host: 'other.s3.amazonaws.com' }), 'SignatureDoesNotMatch'],
  ['a signed header changed', changed({ range: 'bytes=0-10' }), 'SignatureDoesNotMatch'],
  ['another payload', changed({ 'x-amz-content-sha256': welcome }), 'SignatureDoesNotMatch'],
  ['another second', changed({ 'x-amz-date': '20130524T000001Z' }), 'SignatureDoesNotMatch'],
  ['no payload hash', changed({ 'x-amz-content-sha256': undefined }), 'InvalidRequest'],
  ['an x-amz header that was not signed', changed({ 'x-amz-acl': 'public-read' }), 'AccessDenied'],
  ['no signature', changed({ authorization: undefined }), 'AccessDenied'],
  ['no date', changed({ 'x-amz-date': undefined }), 'AccessDenied'],
  ['a date of another day than its scope', changed({ 'x-amz-date': '20130525T000000Z' }), 'AccessDenied'],
  ['another scheme', changed({ authorization: 'AWS AKIAIOSFODNN7EXAMPLE:x' }), 'AuthorizationHeaderMalformed'],
  [
    'a host that was not signed',
    changed({ authorization: authorization('x-amz-content-sha256;x-amz-date', 'a'.repeat(64)) }),
    'AccessDenied',
  ],
  [
    'another key',
    changed({ authorization: getObject.headers.authorization.replace('AKIA', 'AKIB') }),
    'InvalidAccessKeyId',
  ],
  [
    'another region',
    changed({ authorization: getObject.headers.authorization.replace('us-east-1', 'eu-west-1') }),
    'AuthorizationHeaderMalformed',
  ],
  [
    'another service',
    changed({ authorization: getObject.headers.authorization.replace('/s3/', '/sqs/') }),
    'AuthorizationHeaderMalformed',
  ],
  ['broken percent-encoding', { ...getObject, target: '/%zz' }, 'InvalidURI'],
])('%s is refused', (_name, signed, code) => {
  expect(() => verifySignature(signed, credentials, now)).toThrow(expect.objectContaining({ code }))
})

test('a request is taken for a quarter of an hour, and before it as long', () => {
  for (const minutes of [-15, 15]) {
    expect(verifySignature(getObject, credentials, new Date(now.getTime() + minutes * 60_000))).toBe(empty)
  }
  for (const minutes of [-16, 16]) {
    expect(() => verifySignature(getObject, credentials, new Date(now.getTime() + minutes * 60_000))).toThrow(
      expect.objectContaining({ code: 'RequestTimeTooSkewed' }),
    )
  }
})

test('another secret is refused', () => {
  expect(() => verifySignature(getObject, { ...credentials, secretAccessKey: 'other' }, now)).toThrow(
    expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
  )
})
