import { createHash, randomUUID } from 'node:crypto'
import type { Database, Sql } from './connect.ts'

/** How many rows of each table were deleted (or, for other people's rows that named this person, made nameless). */
export type Erased = Record<string, number>

/** What stands in the place of the name in other people's rows. */
const nameless = 'erased'

/** How the count of attachments is called that wait for the keeper to delete them. */
export const leftToKeeper = 'attachments left to the keeper'

/** Objects between two deletions of their rows. */
const objectBatch = 50

/** Rows of one table at a time, so that no statement holds its locks for long. */
const batch = 500

/**
 * Deletes all that Postgres and the object store hold about a person, in batches, and leaves one audit row without a
 * word about them. What runs for this person meanwhile finds nothing and does nothing. May be run again: a run that was
 * broken off goes on. `dry` counts and changes nothing. Null: nothing is kept about this address.
 * Without a `deleteObject` the person's attachments are marked as over: their rows, which alone know where the bytes
 * are, stay until the keeper's next tick has deleted both.
 * @throws Fault whatever `deleteObject` throws; all that was deleted by then stays deleted
 */
export async function erasePerson(
  database: Database,
  options: {
    email: string
    by: string
    now: Date
    dry: boolean
    newId?: () => string
    /** Deletes the bytes of an attachment, gone or not. */
    deleteObject?: (key: string) => Promise<void>
  },
): Promise<Erased | null> {
  const { email, by, now, dry, newId = randomUUID } = options
  const identity = `email:${email}`
  const [person] = await database<{ id: string }[]>`
    select person as id from identities where identity = ${identity}
    union select id from people where email = ${email} limit 1`
  const id = person?.id ?? '00000000-0000-0000-0000-000000000000'
  const erased: Erased = {}
  if (!dry) await closeSessions(database, id, now)
  Object.assign(erased, await eraseAttachments(database, identity, options))
  for (const [table, { rows, change }] of Object.entries(places(database, { email, identity, person: id, now }))) {
    if (dry) {
      const [counted] = await database<{ rows: number }[]>`select count(*)::int as rows from (${rows()}) r`
      erased[table] = counted?.rows ?? 0
      continue
    }
    let all = 0
    for (let some = batch; some === batch; ) {
      some = (await change(batch)).count
      all += some
    }
    erased[table] = all
  }
  if (Object.values(erased).every((rows) => rows === 0)) return null
  if (!dry) {
    const hash = createHash('sha256').update(email).digest('hex')
    await database`
      insert into erasures (id, person_hash, erased_by, erased_at, rows)
      values (${newId()}, ${hash}, ${by}, ${now}, ${database.json(erased)})`
  }
  return erased
}

/** First the bytes, then the row that knows where they are. */
async function eraseAttachments(
  sql: Sql,
  identity: string,
  { dry, now, deleteObject }: { dry: boolean; now: Date; deleteObject?: (key: string) => Promise<void> },
): Promise<Erased> {
  if (dry) {
    const [counted] = await sql<{ rows: number }[]>`
      select count(*)::int as rows from attachments where identity = ${identity}`
    return { attachments: counted?.rows ?? 0 }
  }
  if (deleteObject === undefined) {
    const { count } = await sql`
      update attachments set expires_at = least(expires_at, ${now}) where identity = ${identity}`
    return { attachments: 0, ...(count > 0 ? { [leftToKeeper]: count } : {}) }
  }
  let all = 0
  for (let some = objectBatch; some === objectBatch; all += some) {
    const found = await sql<{ id: string; object: string }[]>`
      select id, object from attachments where identity = ${identity} limit ${objectBatch}`
    for (const { object } of found) await deleteObject(object)
    await sql`delete from attachments where id = any(${`{${found.map(({ id }) => id).join(',')}}`}::text::uuid[])`
    some = found.length
  }
  return { attachments: all }
}

/** Nothing goes on for this person from here: what holds an event of theirs finds no turn. */
async function closeSessions(sql: Sql, person: string, now: Date): Promise<void> {
  await sql`
    update sessions set state = 'closed', turn = null, pending_event = null, updated_at = ${now} where person = ${person}`
}

/** Where a person's data is, in the order in which it can go. */
function places(sql: Sql, who: { email: string; identity: string; person: string; now: Date }) {
  const { email, identity, person, now } = who
  const sessions = () => sql`select id from sessions where person = ${person}`
  const turns = () => sql`select id from turns where session in (${sessions()})`
  const some = (limit: number | undefined) => (limit === undefined ? sql`` : sql`limit ${limit}`)
  // Events and stored replies name the session as their subject; a request.created names the address. Searched as text:
  // what was given up may hold what JSON in Postgres does not take.
  const events = (text: 'event' | 'reply') => sql`
    (exists (select from sessions s where s.person = ${person} and position(s.id::text in ${sql(text)}) > 0)
      or position(${`:${email}"`} in ${sql(text)}) > 0)`
  const inbox = (limit?: number) => sql`
    select consumer, source, event from inbox where reply is not null and ${events('reply')} ${some(limit)}`
  const letters = (limit?: number) => sql`
    select id from dead_letters where session in (${sessions()}) or ${events('event')} ${some(limit)}`
  // A thread may be shared: who sends to it next for somebody else makes the row anew.
  const threads = (limit?: number) => sql`
    select target from delivery_targets where target in (
      select target from deliveries where person = ${person} or turn in (${turns()})) ${some(limit)}`
  const history = (limit?: number) => sql`${turns()} ${some(limit)}`
  const words = (limit?: number) => sql`
    select session, number from messages where session in (${sessions()}) ${some(limit)}`
  const asked = (limit?: number) => sql`
    select id from requests where identity = ${identity} or session in (${sessions()}) ${some(limit)}`
  const writes = (limit?: number) => sql`
    select key from writes where person = ${email} and not_after < ${now} ${some(limit)}`
  const conversations = (limit?: number) => sql`${sessions()} ${some(limit)}`
  const spoken = (limit?: number) => sql`
    select id from requests where (speaker = ${email} or caller = ${email}) and identity <> ${identity} ${some(limit)}`
  const uploaded = (limit?: number) => sql`
    select id from attachments where caller = ${email} and identity <> ${identity} ${some(limit)}`
  const decided = (limit?: number) => sql`
    select id from approvals where person = ${email} or decided_by = ${email} ${some(limit)}`
  const addresses = (limit?: number) => sql`select id from webhooks where email = ${email} ${some(limit)}`
  const accounts = () => sql`select identity from identities where person = ${person}`
  /** What an entry of the audit trail may be about, by its id. */
  const things = () => sql`
    select identity from identities where person = ${person} union all
    select id::text from sessions where person = ${person} union all
    select a.id::text from approvals a where a.session in (${sessions()})`
  const links = (limit?: number) => sql`
    select hash from identity_links where identity in (${accounts()}) ${some(limit)}`
  const noted = (limit?: number) => sql`
    select id from audit where ${email} in (actor, on_behalf_of, subject) or subject in (${things()}) ${some(limit)}`
  const released = (limit?: number) => sql`
    select id from handoffs where released_by = ${email} and session not in (${sessions()}) ${some(limit)}`
  const keys = (limit?: number) => sql`select id from api_keys where created_by = ${email} ${some(limit)}`
  const people = (limit?: number) => sql`select id from people where id = ${person} ${some(limit)}`
  return {
    inbox: {
      rows: inbox,
      change: (limit: number) => sql`delete from inbox where (consumer, source, event) in (${inbox(limit)})`,
    },
    dead_letters: {
      rows: letters,
      change: (limit: number) => sql`delete from dead_letters where id in (${letters(limit)})`,
    },
    delivery_targets: {
      rows: threads,
      change: (limit: number) => sql`delete from delivery_targets where target in (${threads(limit)})`,
    },
    // What was done stays written down, and nobody's name with it.
    audit: {
      rows: noted,
      change: (limit: number) => sql`
        update audit set actor = case when actor = ${email} then ${nameless} else actor end,
          on_behalf_of = case when on_behalf_of = ${email} then ${nameless} else on_behalf_of end,
          subject = case when subject = ${email} or subject in (${things()}) then ${nameless} else subject end
        where id in (${noted(limit)})`,
    },
    turns: { rows: history, change: (limit: number) => sql`delete from turns where id in (${history(limit)})` },
    messages: {
      rows: words,
      change: (limit: number) => sql`delete from messages where (session, number) in (${words(limit)})`,
    },
    requests: { rows: asked, change: (limit: number) => sql`delete from requests where id in (${asked(limit)})` },
    writes: { rows: writes, change: (limit: number) => sql`delete from writes where key in (${writes(limit)})` },
    sessions: {
      rows: conversations,
      change: (limit: number) => sql`delete from sessions where id in (${conversations(limit)})`,
    },
    'requests of others': {
      rows: spoken,
      change: (limit: number) => sql`
        update requests set caller = case when caller = ${email} then ${nameless} else caller end,
          speaker = nullif(speaker, ${email})
        where id in (${spoken(limit)})`,
    },
    'attachments of others': {
      rows: uploaded,
      change: (limit: number) => sql`update attachments set caller = ${nameless} where id in (${uploaded(limit)})`,
    },
    'approvals of others': {
      rows: decided,
      change: (limit: number) => sql`
        update approvals set expires_at = case when state = 'open' then least(expires_at, ${now}) else expires_at end,
          person = case when person = ${email} then ${nameless} else person end,
          decided_by = case when decided_by = ${email} then ${nameless} else decided_by end
        where id in (${decided(limit)})`,
    },
    webhooks: {
      rows: addresses,
      change: (limit: number) => sql`delete from webhooks where id in (${addresses(limit)})`,
    },
    identity_links: {
      rows: links,
      change: (limit: number) => sql`delete from identity_links where hash in (${links(limit)})`,
    },
    'hand-offs of others': {
      rows: released,
      change: (limit: number) => sql`update handoffs set released_by = ${nameless} where id in (${released(limit)})`,
    },
    'API keys of programs': {
      rows: keys,
      change: (limit: number) => sql`update api_keys set created_by = ${nameless} where id in (${keys(limit)})`,
    },
    people: { rows: people, change: (limit: number) => sql`delete from people where id in (${people(limit)})` },
  }
}
