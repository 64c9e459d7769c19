import { createHash } from 'node:crypto'
import { beginsLike, headBytes, readMediaType } from '../../attachments/media-types.ts'
import type { ObjectStore } from '../../attachments/object-store.ts'
import { abandonAttachment, beginAttachment, finishAttachment } from '../../attachments/rows.ts'
import { deterministicId } from '../../events/event.ts'
import type { Database } from '../../store/connect.ts'
import type { File } from './parse-mail.ts'

export interface FileParts {
  database: Database
  /** null: this deployment keeps none. */
  files: { store: ObjectStore; limit: number } | null
  now(): Date
}

/** Files of one mail at most. */
const mostFiles = 10

export interface KeptFiles {
  ids: string[]
  notTaken: { name: string; why: string }[]
}

/**
 * Puts the files of a mail into the object store, and says which are not taken and why. Their ids follow from the
 * mail, so that a second try takes the same ones.
 * @throws Fault `attachment.store-unavailable`, `attachment.store-misconfigured`, `store.unavailable`
 */
export async function keepFiles(
  parts: FileParts,
  mail: { key: string; person: string; caller: string; files: readonly File[] },
  signal: AbortSignal,
): Promise<KeptFiles> {
  const kept: KeptFiles = { ids: [], notTaken: [] }
  for (const [index, file] of mail.files.entries()) {
    const type = typeOf(file)
    const why = whyNot(parts, file, type, index)
    if (why !== null || type === null) {
      kept.notTaken.push({ name: file.name, why: why ?? 'files of this kind are not taken' })
      continue
    }
    const id = deterministicId('mail-file', mail.key, String(index))
    await keepFile(parts, { id, identity: `email:${mail.person}`, caller: mail.caller, type, file }, signal)
    kept.ids.push(id)
  }
  return kept
}

/** Many clients name no type: then the name's ending does. */
function typeOf({ type, name }: File): string | null {
  const known = readMediaType(type)
  if (known !== null) return known
  if (type !== 'application/octet-stream') return null
  const ending = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  const byEnding: Record<string, string> = {
    ...{ pdf: 'application/pdf', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif' },
    ...{ txt: 'text/plain', csv: 'text/csv', md: 'text/markdown', rtf: 'application/rtf', webp: 'image/webp' },
  }
  return byEnding[ending] ?? null
}

function whyNot({ files }: FileParts, file: File, type: string | null, index: number): string | null {
  if (files === null) return 'files are not taken here'
  if (type === null || !beginsLike(type, file.bytes.subarray(0, headBytes))) return 'files of this kind are not taken'
  if (file.bytes.byteLength === 0) return 'it is empty'
  if (file.bytes.byteLength > files.limit) return `it is larger than ${Math.floor(files.limit / 1_048_576)} MiB`
  return index >= mostFiles ? `${mostFiles} files of one mail are taken` : null
}

async function keepFile(
  { database, files, now }: FileParts,
  kept: { id: string; identity: string; caller: string; type: string; file: File },
  signal: AbortSignal,
): Promise<void> {
  const { id, identity, caller, type, file } = kept
  if (files === null) return
  const [earlier] = await database<{ object: string; stored: boolean }[]>`
    select object, stored_at is not null as stored from attachments where id = ${id}`
  if (earlier?.stored) return
  const bytes = file.bytes.byteLength
  const object =
    earlier?.object ??
    (await beginAttachment(database, { id, identity, caller, name: file.name, mediaType: type, bytes }, now())).object
  try {
    await files.store.put(object, oneChunk(file.bytes), { bytes, mediaType: type, signal })
  } catch (error) {
    await abandonAttachment(database, id, now())
    throw error
  }
  await finishAttachment(database, id, createHash('sha256').update(file.bytes).digest(), now())
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
