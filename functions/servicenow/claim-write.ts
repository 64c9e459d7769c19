import * as z from 'zod/mini'
import { catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database } from '../../shared/store/connect.ts'

/** One write, as its approval names it. */
export interface Write {
  /** The approval's id. */
  key: string
  /** As flows name it: `server.tool`. */
  tool: string
  argumentsHash: string
  person: string
  notAfter: Date
}

/** What every write answers with. */
export type Filed = {
  number: string
  sys_id: string
  /** What was ordered, in words. */
  item: string
  /** E-mail address. */
  requested_for: string
  /** True where an open request was found instead of filing another. */
  duplicate: boolean
}

export type Settled =
  | { state: 'done'; outcome: Filed }
  | { state: 'refused'; outcome: { code: FaultCode } }
  | { state: 'unknown' }

export type Claim =
  /** The caller owns the write under this fence, and alone may POST, before `notAfter`. */
  | { kind: 'owned'; fence: number; notAfter: Date; firstClaimedAt: Date }
  | { kind: 'held'; state: 'claimed' | 'unknown'; fence: number; notAfter: Date; firstClaimedAt: Date }
  | { kind: 'settled'; settled: Extract<Settled, { outcome: unknown }> }
  /** The key is another write's. */
  | { kind: 'foreign' }

const rowSchema = z.object({
  tool: z.string(),
  arguments_hash: z.string(),
  person: z.string(),
  state: z.enum(['claimed', 'released', 'done', 'refused', 'unknown']),
  fence: z.int(),
  not_after: z.date(),
  claimed_at: z.date(),
  outcome: z.unknown(),
})

/**
 * Claims a write: a new key, or one whose owner released it, while `now` is before its not-after. A key that is too late
 * is refused for good, so that a caller with a slow clock cannot start it any more.
 */
export async function claimWrite(sql: Database, write: Write, now: Date): Promise<Claim> {
  const [mine] = await sql<{ fence: number; not_after: Date; claimed_at: Date }[]>`
    insert into writes (key, tool, arguments_hash, person, state, not_after, claimed_at)
    select ${write.key}, ${write.tool}, ${write.argumentsHash}, ${write.person}, 'claimed', ${write.notAfter}, ${now}
    where ${now}::timestamptz < ${write.notAfter}::timestamptz
    on conflict (key) do update
      set state = 'claimed', fence = writes.fence + 1, not_after = least(writes.not_after, excluded.not_after)
      where writes.state = 'released' and excluded.claimed_at < writes.not_after
        and (writes.tool, writes.arguments_hash, writes.person)
          = (excluded.tool, excluded.arguments_hash, excluded.person)
    returning fence, not_after, claimed_at`
  if (mine !== undefined) {
    return { kind: 'owned', fence: mine.fence, notAfter: mine.not_after, firstClaimedAt: mine.claimed_at }
  }

  const row = (await readWrite(sql, write.key)) ?? (await refuseLate(sql, write, now))
  if (row.tool !== write.tool || row.arguments_hash !== write.argumentsHash || row.person !== write.person) {
    return { kind: 'foreign' }
  }
  if (row.state === 'released') return toClaim(await refuseLate(sql, write, now))
  return toClaim(row)
}

/** Ends a write, if `fence` still is its newest claim and nobody ended it before; returns how it stands then. */
export async function settleWrite(
  sql: Database,
  key: string,
  fence: number,
  settled: Settled,
  now: Date,
): Promise<Claim> {
  const outcome = 'outcome' in settled ? sql.json(settled.outcome) : null
  await faultPoint('servicenow: before settle')
  await sql`
    update writes set state = ${settled.state}, outcome = ${outcome},
      finished_at = ${settled.state === 'unknown' ? null : now}
    where key = ${key} and fence = ${fence} and state in ('claimed', 'unknown')`
  await faultPoint('servicenow: after settle')
  return toClaim(await needWrite(sql, key))
}

/** Replaces the refusal that ended a write by what its owner filed all the same. */
export async function correctRefusal(
  sql: Database,
  key: string,
  fence: number,
  filed: Filed,
  now: Date,
): Promise<void> {
  await sql`
    update writes set state = 'done', outcome = ${sql.json(filed)}, finished_at = ${now}
    where key = ${key} and fence = ${fence} and state = 'refused'`
}

/** Gives a claim back: its owner knows that nothing of an order left this process. */
export async function releaseWrite(sql: Database, key: string, fence: number): Promise<void> {
  await sql`update writes set state = 'released' where key = ${key} and fence = ${fence} and state = 'claimed'`
}

async function refuseLate(sql: Database, write: Write, now: Date): Promise<Row> {
  const outcome = sql.json({ code: 'approval.expired' satisfies FaultCode })
  await sql`
    insert into writes (key, tool, arguments_hash, person, state, not_after, outcome, claimed_at, finished_at)
    values (${write.key}, ${write.tool}, ${write.argumentsHash}, ${write.person}, 'refused', ${write.notAfter},
      ${outcome}, ${now}, ${now})
    on conflict (key) do update set state = 'refused', outcome = excluded.outcome, finished_at = excluded.finished_at
      where writes.state = 'released' and writes.not_after <= excluded.claimed_at`
  return needWrite(sql, write.key)
}

type Row = z.infer<typeof rowSchema>

async function readWrite(sql: Database, key: string): Promise<Row | null> {
  const [row] = await sql`
    select tool, arguments_hash, person, state, fence, not_after, claimed_at, outcome from writes where key = ${key}`
  return row === undefined ? null : rowSchema.parse(row)
}

async function needWrite(sql: Database, key: string): Promise<Row> {
  const row = await readWrite(sql, key)
  if (row === null) throw new Error('The row of a write disappeared')
  return row
}

const filedSchema = z.object({
  number: z.string(),
  sys_id: z.string(),
  item: z.string(),
  requested_for: z.string(),
  duplicate: z.boolean(),
})
const refusalSchema = z.object({ code: z.custom<FaultCode>((code) => typeof code === 'string' && code in catalogue) })

function toClaim(row: Row): Claim {
  switch (row.state) {
    case 'done':
      return { kind: 'settled', settled: { state: 'done', outcome: filedSchema.parse(row.outcome) } }
    case 'refused':
      return { kind: 'settled', settled: { state: 'refused', outcome: refusalSchema.parse(row.outcome) } }
    // Between two statements the row may be released: for this caller that is still a claim of another.
    case 'released':
    case 'claimed':
    case 'unknown': {
      const state = row.state === 'unknown' ? 'unknown' : 'claimed'
      return { kind: 'held', state, fence: row.fence, notAfter: row.not_after, firstClaimedAt: row.claimed_at }
    }
  }
}
