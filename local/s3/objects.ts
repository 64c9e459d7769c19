import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface StoredObject {
  key: string
  contentType: string
  etag: string
  modifiedAt: string
  checksum: { name: string; value: string } | null
  bytes: Buffer
}

export interface Objects {
  get(key: string): StoredObject | null
  put(object: StoredObject): void
  delete(key: string): void
  /** Keys in the order of their UTF-8 bytes, as S3 lists them. */
  keys(): string[]
}

/** The objects of the one bucket: in memory, and with a folder also there, so that they outlive the process. */
export function openObjects(folder: string | null): Objects {
  const kept = new Map<string, StoredObject>()
  if (folder !== null) {
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue
      const head = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Omit<StoredObject, 'bytes'>
      kept.set(head.key, { ...head, bytes: readFileSync(join(folder, name.replace(/json$/, 'bytes'))) })
    }
  }
  // A key is never a path: it may hold anything.
  const file = (key: string, kind: 'json' | 'bytes') =>
    join(folder ?? '', `${createHash('sha256').update(key).digest('hex')}.${kind}`)
  return {
    get: (key) => kept.get(key) ?? null,
    put(object) {
      if (folder !== null) {
        const { bytes, ...head } = object
        writeFileSync(file(object.key, 'bytes'), bytes)
        // Last and at once: an object whose head is there is there.
        writeFileSync(`${file(object.key, 'json')}.draft`, JSON.stringify(head))
        renameSync(`${file(object.key, 'json')}.draft`, file(object.key, 'json'))
      }
      kept.set(object.key, object)
    },
    delete(key) {
      if (folder !== null) for (const kind of ['json', 'bytes'] as const) rmSync(file(key, kind), { force: true })
      kept.delete(key)
    },
    keys: () => [...kept.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  }
}
