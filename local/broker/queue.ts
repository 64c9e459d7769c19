import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Envelope } from './envelope.ts'
import type { Failure, Leg } from './outcome.ts'

/** One event owed to one Trigger: a row of the queue, and the same thing in memory. */
export interface Delivery {
  id: string
  /** namespace/name */
  trigger: string
  leg: Leg
  /** Attempts of this leg that failed. */
  failed: number
  due: Date
  failure: Failure | null
  /** Headers that travel with the event. */
  headers: Record<string, string>
  envelope: Envelope
}

/** One durable change. Each is all or nothing. */
export interface Change {
  /** The delivery that is over. */
  finished?: string
  /** The delivery that goes on, as it stands now. */
  moved?: Pick<Delivery, 'id' | 'leg' | 'failed' | 'due' | 'failure'>
  /** New deliveries: of an event that the ingress took, or of a finished delivery's reply. */
  added?: Delivery[]
}

export interface Queue {
  /**
   * Commits a change; resolves when it is on disk.
   * @throws Fault `store.unavailable` where it isn't, or where nobody can tell.
   */
  write(change: Change): Promise<void>
  /** Every delivery that is owed and not in `known`, oldest first. */
  load(known: ReadonlySet<string>): Promise<Delivery[]>
  /** Throws Fault `store.unavailable` while Postgres takes no work. */
  check(): Promise<void>
}

// One row a delivery with its event in it: an event has one or two Triggers, so a table of its own would cost a join,
// a second insert and a sweep of its orphans to save a copy of a few hundred bytes.
const schema = `
  create schema if not exists broker;
  create table if not exists broker.deliveries (
    id uuid primary key,
    number bigint generated always as identity,
    trigger text not null,
    leg text not null check (leg in ('subscriber', 'dead-letter')),
    failed int not null,
    due timestamptz not null,
    failure json,
    headers json not null,
    attributes json not null,
    body bytea not null
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);`

/** Milliseconds after which a write counts as failed: a Postgres that hangs must not hold callers for ever. */
const patience = 5000

/**
 * Opens the durable queue: makes its schema where it is missing. Changes that come while all `lanes` are writing leave
 * together in the next statement, so that one flush to disk serves many of them; at rest each leaves at once.
 * @throws Fault `store.unavailable`
 */
export async function openQueue(database: Database, lanes = 2): Promise<Queue> {
  await database
    .begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(hashtext('self-service-agent.broker'))`
      await sql.unsafe(schema)
    })
    .catch((error: unknown) => {
      throw toFault(error)
    })
  const waiting: { change: Change; resolve(): void; reject(error: unknown): void }[] = []
  let busy = 0

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, 200)
    try {
      await within(
        patience,
        commit(
          database,
          batch.map(({ change }) => change),
        ),
      )
      for (const { resolve } of batch) resolve()
    } catch (error) {
      const fault = toFault(error)
      if (fault.code === 'store.unavailable' || batch.length === 1) {
        for (const { reject } of batch) reject(fault)
        return
      }
      // Something in the batch that Postgres doesn't take: it alone must fail.
      for (const { change, resolve, reject } of batch) {
        await within(patience, commit(database, [change])).then(resolve, (cause: unknown) => reject(toFault(cause)))
      }
    }
  }

  async function work(): Promise<void> {
    busy += 1
    try {
      while (waiting.length > 0) await flush()
    } finally {
      busy -= 1
    }
  }

  return {
    write(change) {
      return new Promise((resolve, reject) => {
        waiting.push({ change, resolve, reject })
        if (busy < lanes) void work()
      })
    },
    async load(known) {
      try {
        // One snapshot: a predecessor's last commit may swap a delivery for its reply while we read.
        return await database.begin('isolation level repeatable read read only', async (sql) => {
          const rows = await sql<{ id: string }[]>`select id from broker.deliveries order by number`
          const missing = rows.map(({ id }) => id).filter((id) => !known.has(id))
          const found: Delivery[] = []
          for (let start = 0; start < missing.length; start += 500) {
            const ids = `{${missing.slice(start, start + 500).join(',')}}`
            const page = await sql<Row[]>`
              select id, trigger, leg, failed, due, failure, headers, attributes, body
              from broker.deliveries where id = any (${ids}::text::uuid[]) order by number`
            found.push(...page.map(fromRow))
          }
          return found
        })
      } catch (error) {
        throw toFault(error)
      }
    },
    async check() {
      await within(2000, database`select 1`).catch((error: unknown) => {
        throw toFault(error)
      })
    },
  }
}

interface Row extends Omit<Delivery, 'envelope'> {
  attributes: Record<string, string>
  body: Buffer
}

function fromRow({ attributes, body, ...row }: Row): Delivery {
  return { ...row, envelope: { attributes, body } }
}

/** All changes in one statement, which is one transaction and one flush to disk. */
async function commit(database: Database, changes: Change[]): Promise<void> {
  const finished: string[] = []
  const moved: Change['moved'][] = []
  const added: unknown[] = []
  for (const change of changes) {
    if (change.finished !== undefined) finished.push(change.finished)
    if (change.moved !== undefined) moved.push(change.moved)
    for (const { envelope, ...delivery } of change.added ?? []) {
      added.push({ ...delivery, attributes: envelope.attributes, body: envelope.body.toString('base64') })
    }
  }
  const parameters: string[] = []
  const parameter = (text: string) => `$${parameters.push(text)}::text`
  const steps: string[] = []
  if (finished.length > 0) {
    steps.push(`delete from broker.deliveries where id = any (${parameter(`{${finished.join(',')}}`)}::uuid[])`)
  }
  if (moved.length > 0) {
    steps.push(`update broker.deliveries d
      set leg = m.leg, failed = m.failed, due = m.due, failure = m.failure
      from json_to_recordset(${parameter(JSON.stringify(moved))}::json)
        as m (id uuid, leg text, failed int, due timestamptz, failure json) where d.id = m.id`)
  }
  if (added.length > 0) {
    steps.push(`insert into broker.deliveries (id, trigger, leg, failed, due, failure, headers, attributes, body)
      select id, trigger, leg, failed, due, failure, headers, attributes, decode(body, 'base64')
      from json_to_recordset(${parameter(JSON.stringify(added))}::json) as a (id uuid, trigger text, leg text,
        failed int, due timestamptz, failure json, headers json, attributes json, body text)`)
  }
  const last = steps.pop()
  if (last === undefined) return
  const first = steps.map((step, index) => `s${index} as (${step})`).join(', ')
  await database.unsafe(first === '' ? last : `with ${first} ${last}`, parameters)
}

async function within<T>(milliseconds: number, work: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Fault('store.unavailable', `Postgres did not answer within ${milliseconds} ms`))
    }, milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
