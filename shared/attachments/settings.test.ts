import { expect, test } from 'vitest'
import { readObjectStoreSettings } from './settings.ts'

test('no bucket, no object store', () => {
  expect(readObjectStoreSettings({ S3_ENDPOINT: 'http://s3', S3_REGION: 'x' })).toBeNull()
  expect(readObjectStoreSettings({ S3_BUCKET: '' })).toBeNull()
})

test("AWS' own by the bucket alone; another by its address, in path style", () => {
  expect(readObjectStoreSettings({ S3_BUCKET: 'b' })).toEqual({
    bucket: 'b',
    region: 'us-east-1',
    endpoint: null,
    pathStyle: false,
    credentials: null,
  })
  const other = { S3_BUCKET: 'b', S3_REGION: 'r', S3_ENDPOINT: 'https://s3.local:9000' }
  expect(
    readObjectStoreSettings({ ...other, S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's', S3_PATH_STYLE: '' }),
  ).toEqual({
    bucket: 'b',
    region: 'r',
    endpoint: 'https://s3.local:9000',
    pathStyle: true,
    credentials: { accessKeyId: 'k', secretAccessKey: 's' },
  })
  expect(readObjectStoreSettings({ ...other, S3_PATH_STYLE: 'false' })).toMatchObject({ pathStyle: false })
})

test.each([
  [{ S3_ACCESS_KEY_ID: 'k' }, 'go together'],
  [{ S3_SECRET_ACCESS_KEY: 'topsecret' }, 'go together'],
  [{ S3_ENDPOINT: 's3.local' }, 'S3_ENDPOINT is no'],
  [{ S3_ENDPOINT: 'ftp://s3.local' }, 'S3_ENDPOINT is no'],
  [{ S3_PATH_STYLE: 'yes' }, 'S3_PATH_STYLE is "yes"'],
])('%j is said to be wrong, without the secret', (wrong, sentence) => {
  expect(() => readObjectStoreSettings({ S3_BUCKET: 'b', ...wrong })).toThrow(sentence)
  expect(() => readObjectStoreSettings({ S3_BUCKET: 'b', ...wrong })).not.toThrow('topsecret')
})
