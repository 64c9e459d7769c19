import type { Sql } from '../../store/connect.ts'

/** Where a program is told its answers. */
export interface Webhook {
  id: string
  url: string
  /** Of its signing secret; from when on, null: since it is there. */
  version: number
  rotatedAt: Date | null
  createdAt: Date
  disabledAt: Date | null
}

/** Who registers: subject of the token and, for a person, their address. */
export interface Owner {
  subject: string
  email: string | null
}

const mostOfOne = 20

interface Row {
  id: string
  url: string
  version: number
  rotated_at: Date | null
  created_at: Date
  disabled_at: Date | null
}

const fromRow = ({ rotated_at, created_at, disabled_at, ...row }: Row): Webhook => ({
  ...row,
  rotatedAt: rotated_at,
  createdAt: created_at,
  disabledAt: disabled_at,
})

/** Registers an address; null where the owner has as many as one may have. */
export async function createWebhook(
  sql: Sql,
  owner: Owner,
  { id, url, now }: { id: string; url: string; now: Date },
): Promise<Webhook | null> {
  const [row] = await sql<Row[]>`
    insert into webhooks (id, owner, email, url, created_at)
    select ${id}::uuid, ${owner.subject}, ${owner.email}, ${url}, ${now}::timestamptz
    where (select count(*) from webhooks where owner = ${owner.subject}) < ${mostOfOne}
    returning id, url, version, rotated_at, created_at, disabled_at`
  return row === undefined ? null : fromRow(row)
}

/** The owner's own, in the order of their registration. */
export async function listWebhooks(sql: Sql, owner: string): Promise<Webhook[]> {
  const rows = await sql<Row[]>`
    select id, url, version, rotated_at, created_at, disabled_at from webhooks
    where owner = ${owner} order by created_at, id`
  return rows.map(fromRow)
}

/** A next version of the secret, and a webhook that was disabled is taken up again; null: none of the owner's. */
export async function rotateWebhook(sql: Sql, owner: string, id: string, now: Date): Promise<Webhook | null> {
  const [row] = await sql<Row[]>`
    update webhooks set version = version + 1, rotated_at = ${now}, disabled_at = null
    where id = ${id} and owner = ${owner}
    returning id, url, version, rotated_at, created_at, disabled_at`
  return row === undefined ? null : fromRow(row)
}

/** False: none of the owner's. What is still owed to it is given up. */
export async function deleteWebhook(sql: Sql, owner: string, id: string): Promise<boolean> {
  const rows = await sql`delete from webhooks where id = ${id} and owner = ${owner} returning 1`
  return rows.length > 0
}

/** Whether a request of this owner may name it as where its answer goes. */
export async function mayReplyTo(sql: Sql, owner: string, id: string): Promise<boolean> {
  const rows = await sql`select from webhooks where id = ${id} and owner = ${owner} and disabled_at is null`
  return rows.length > 0
}

export async function findWebhook(sql: Sql, id: string): Promise<Webhook | null> {
  const [row] = await sql<Row[]>`
    select id, url, version, rotated_at, created_at, disabled_at from webhooks where id = ${id}`
  return row === undefined ? null : fromRow(row)
}

/** The receiver says that it wants no more. */
export async function disableWebhook(sql: Sql, id: string, now: Date): Promise<void> {
  await sql`update webhooks set disabled_at = ${now} where id = ${id} and disabled_at is null`
}

/** What the answer of a turn is, as the API gives it. */
export interface AnsweredRequest {
  request_id: string
  session_id: string | null
  status: 'completed' | 'failed'
  response: Record<string, unknown> | null
}

/** Null where it has been deleted meanwhile. */
export async function findAnswer(sql: Sql, turn: string): Promise<AnsweredRequest | null> {
  const [row] = await sql<
    { id: string; session: string | null; state: string; response: AnsweredRequest['response'] }[]
  >`
    select r.id, r.session, r.state, r.response from turns t join requests r on r.id = t.request where t.id = ${turn}`
  if (row === undefined) return null
  const status = row.state === 'failed' ? 'failed' : 'completed'
  return { request_id: row.id, session_id: row.session, status, response: row.response }
}
