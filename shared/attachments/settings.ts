import type { Environment } from '../settings/environment.ts'

/** Where the bucket is and who may use it. */
export interface ObjectStoreSettings {
  bucket: string
  region: string
  /** null: AWS' own, by the region. */
  endpoint: string | null
  /** `https://endpoint/bucket/key` rather than `https://bucket.endpoint/key`. */
  pathStyle: boolean
  /** null: the SDK's own chain, so that a pod's role needs no secret. */
  credentials: { accessKeyId: string; secretAccessKey: string } | null
}

/**
 * Reads S3_BUCKET, S3_REGION, S3_ENDPOINT, S3_PATH_STYLE, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY; null without
 * S3_BUCKET: this deployment keeps no attachments.
 * @throws Error whose one sentence says what to set
 */
export function readObjectStoreSettings(environment: Environment): ObjectStoreSettings | null {
  const { S3_BUCKET, S3_REGION, S3_ENDPOINT, S3_PATH_STYLE, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = environment
  if (!S3_BUCKET) return null
  if (S3_ENDPOINT && !/^https?:$/.test(URL.parse(S3_ENDPOINT)?.protocol ?? '')) {
    throw new Error('S3_ENDPOINT is no http or https address.')
  }
  if (Boolean(S3_ACCESS_KEY_ID) !== Boolean(S3_SECRET_ACCESS_KEY)) {
    throw new Error('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together: set both, or neither.')
  }
  if (S3_PATH_STYLE && !['true', 'false'].includes(S3_PATH_STYLE)) {
    throw new Error(`S3_PATH_STYLE is "${S3_PATH_STYLE}": it takes true or false.`)
  }
  return {
    bucket: S3_BUCKET,
    region: S3_REGION || 'us-east-1',
    endpoint: S3_ENDPOINT || null,
    // What is no AWS seldom has a name for each bucket.
    pathStyle: S3_PATH_STYLE ? S3_PATH_STYLE === 'true' : Boolean(S3_ENDPOINT),
    credentials:
      S3_ACCESS_KEY_ID && S3_SECRET_ACCESS_KEY
        ? { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY }
        : null,
  }
}
