import type { ObjectStoreSettings } from './settings.ts'

/** Where the bytes of attachments are: S3, or what speaks its protocol. */
export interface ObjectStore {
  /**
   * Stores `bytes` bytes under a key, as they come; encryption at rest is the bucket's own setting.
   * @throws Fault `attachment.store-unavailable`, `attachment.store-misconfigured`; whatever the body throws
   */
  put(
    key: string,
    body: AsyncIterable<Uint8Array>,
    object: { bytes: number; mediaType: string; signal: AbortSignal },
  ): Promise<void>
  /**
   * The object's bytes, which end by an error where the store breaks off, and how many they are.
   * @throws Fault `attachment.missing`, `attachment.store-unavailable`, `attachment.store-misconfigured`
   */
  get(key: string, signal: AbortSignal): Promise<{ bytes: number; body: ReadableStream<Uint8Array> }>
  /**
   * Deletes an object; one that is gone already is deleted.
   * @throws Fault `attachment.store-unavailable`, `attachment.store-misconfigured`
   */
  delete(key: string): Promise<void>
  /** Closes its connections. */
  close(): Promise<void>
}

/** The object store of these settings. The client for S3 is heavy and is loaded on first use. */
export function openObjectStore(settings: ObjectStoreSettings): ObjectStore {
  let opened: Promise<ObjectStore> | undefined
  const open = (): Promise<ObjectStore> => {
    opened ??= import('./s3.ts').then(({ openS3 }) => openS3(settings))
    return opened
  }
  return {
    put: async (key, body, object) => (await open()).put(key, body, object),
    get: async (key, signal) => (await open()).get(key, signal),
    delete: async (key) => (await open()).delete(key),
    close: async () => (await opened)?.close(),
  }
}
