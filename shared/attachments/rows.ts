import { Fault } from '../errors/fault.ts'
import type { Database, Sql } from '../store/connect.ts'
import { type Acceptance, acceptRequest, type NewRequest } from '../store/requests.ts'

/** An attachment as its row says it. */
export interface Attachment {
  id: string
  /** Whose: scheme and value, 'email:alice@example.com'. */
  identity: string
  /** The object's key in the bucket. */
  object: string
  name: string
  mediaType: string
  bytes: number
  expiresAt: Date
}

/** Milliseconds for which an attachment is kept, and for which an upload may be under way. */
const keptMs = 30 * 86_400_000
const uploadingMs = 3_600_000

export interface NewAttachment {
  id: string
  identity: string
  /** Subject of the token that sends it. */
  caller: string
  name: string
  mediaType: string
  bytes: number
}

const tenant = 'default'

/** Writes the row of an attachment whose bytes come next; it goes by itself where they don't. */
export async function beginAttachment(sql: Sql, attachment: NewAttachment, now: Date): Promise<Attachment> {
  const { id, identity, caller, name, mediaType, bytes } = attachment
  const object = `${tenant}/${id}`
  const expiresAt = new Date(now.getTime() + uploadingMs)
  await sql`
    insert into attachments (id, tenant, identity, caller, object, name, media_type, bytes, created_at, expires_at)
    values (${id}, ${tenant}, ${identity}, ${caller}, ${object}, ${name}, ${mediaType}, ${bytes}, ${now}, ${expiresAt})`
  return { id, identity, object, name, mediaType, bytes, expiresAt }
}

/** Says that all bytes are there; null where the row is gone: its person was erased meanwhile. */
export async function finishAttachment(sql: Sql, id: string, sha256: Buffer, now: Date): Promise<Date | null> {
  const expiresAt = new Date(now.getTime() + keptMs)
  const { count } = await sql`
    update attachments set sha256 = ${sha256}, stored_at = ${now}, expires_at = ${expiresAt}
    where id = ${id} and stored_at is null`
  return count === 1 ? expiresAt : null
}

/** Has the next tick remove an attachment whose upload failed. */
export async function abandonAttachment(sql: Sql, id: string, now: Date): Promise<void> {
  await sql`update attachments set expires_at = ${now} where id = ${id} and stored_at is null`
}

/** An attachment of this person whose bytes are there, also after its end; null: there is none. */
export async function findAttachment(sql: Sql, id: string, identity: string): Promise<Attachment | null> {
  const [row] = await sql<Row[]>`
    select id, identity, object, name, media_type, bytes, expires_at from attachments
    where id = ${id} and identity = ${identity} and stored_at is not null`
  return row === undefined ? null : toAttachment(row)
}

/** The attachments of some requests that are still kept, by request and in the order in which they were sent. */
export async function findSent(sql: Sql, requests: readonly string[], now: Date): Promise<Map<string, Attachment[]>> {
  const found = new Map<string, Attachment[]>()
  if (requests.length === 0) return found
  const rows = await sql<(Row & { request: string })[]>`
    select id, identity, object, name, media_type, bytes, expires_at, request from attachments
    where request = any(${`{${requests.join(',')}}`}::text::uuid[]) and expires_at > ${now} order by created_at, id`
  for (const row of rows) found.set(row.request, [...(found.get(row.request) ?? []), toAttachment(row)])
  return found
}

/**
 * Writes a request's row as `acceptRequest` does, together with the attachments that it names: all of them or nothing.
 * @throws Fault `attachment.unusable` where one is not there, not this person's, over, or part of another message;
 *   `request.too-many` as acceptRequest
 */
export async function acceptWithAttachments(
  database: Database,
  request: NewRequest,
  attachments: readonly string[],
  mostWaiting: number | null = null,
): Promise<Acceptance> {
  if (attachments.length === 0) return await acceptRequest(database, request, mostWaiting)
  return await database.begin(async (sql) => {
    const acceptance = await acceptRequest(sql, request, mostWaiting)
    // A repetition has them already.
    if (acceptance.outcome !== 'created') return acceptance
    const { count } = await sql`
      update attachments set request = ${request.id}
      where id = any(${`{${attachments.join(',')}}`}::text::uuid[]) and identity = ${request.identity}
        and request is null and stored_at is not null and expires_at > ${request.acceptedAt}`
    if (count !== attachments.length) {
      const detail = 'attachments: each has to be a file of this person that is still kept and not yet sent'
      throw new Fault('attachment.unusable', detail)
    }
    return acceptance
  })
}

/** Attachments whose time is over, the oldest first, without those in `except`. */
export async function findExpired(
  sql: Sql,
  options: { now: Date; limit: number; except: readonly string[] },
): Promise<Pick<Attachment, 'id' | 'object'>[]> {
  const { now, limit, except } = options
  return await sql<Pick<Attachment, 'id' | 'object'>[]>`
    select id, object from attachments
    where expires_at <= ${now} and id <> all(${`{${except.join(',')}}`}::text::uuid[])
    order by expires_at limit ${limit}`
}

/** Deletes rows whose objects are gone. */
export async function deleteRows(sql: Sql, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await sql`delete from attachments where id = any(${`{${ids.join(',')}}`}::text::uuid[])`
}

interface Row {
  id: string
  identity: string
  object: string
  name: string
  media_type: string
  bytes: string
  expires_at: Date
}

function toAttachment({ media_type, bytes, expires_at, ...row }: Row): Attachment {
  // The driver reads a bigint as text.
  return {
    id: row.id,
    identity: row.identity,
    object: row.object,
    name: row.name,
    mediaType: media_type,
    bytes: Number(bytes),
    expiresAt: expires_at,
  }
}
