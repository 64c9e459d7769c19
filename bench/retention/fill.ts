import type { Database } from '../../shared/store/connect.ts'

/** What a year of conversations leaves behind, `rows` of each kind that is not kept for ever. */
const old = "timestamptz '2025-01-01' + n * interval '1 second'"
const id = (what: string, of = 'n') => `md5('${what}' || ${of})::uuid`

/** Each table's rows for n = 1 … rows, all past their time; a conversation is one session with one turn of three steps. */
const fillings: Record<string, string> = {
  people: `insert into people (id, email) select ${id('person')}, n || '@old.example' from numbers where n <= 1000`,
  sessions: `insert into sessions (id, person, state, last_message, created_at, updated_at, expires_at)
    select ${id('session')}, ${id('person', '(1 + n % 1000)')}, 'closed', 2, ${old}, ${old}, ${old} from numbers`,
  requests: `insert into requests (id, caller, identity, channel, body_hash, content, target, traceparent, event, state,
      session, message, response, accepted_at, answered_at)
    select ${id('request')}, 'old', 'email:' || (1 + n % 1000) || '@old.example', 'cli', '', repeat('word ', 20), '{}', '',
      repeat('event ', 60), 'answered', ${id('session')}, 1, '{"content": "x"}', ${old}, ${old} from numbers`,
  messages: `insert into messages (session, number, role, content, request, turn, state, created_at)
    select ${id('session')}, 1, 'employee', repeat('word ', 20), ${id('request')}, ${id('turn')}, 'done', ${old} from numbers
    union all
    select ${id('session')}, 2, 'agent', repeat('word ', 40), null, ${id('turn')}, 'done', ${old} from numbers`,
  approvals: `insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, state, expires_at,
      decided_by, decided_at, created_at)
    select ${id('approval')}, ${id('session')}, ${id('turn')}, 's', 't', '{}', '', 'x', 'used', ${old}, 'x', ${old}, ${old}
    from numbers`,
  turns: `insert into turns (id, session, message, request, agent, state, response, delivered, opened_at, deadline, finished_at)
    select ${id('turn')}, ${id('session')}, 1, ${id('request')}, 'a', 'answered', repeat('event ', 60), true, ${old}, ${old}, ${old}
    from numbers`,
  steps: `insert into steps (turn, number, agent, name, kind, request, answer, started_at, finished_at)
    select ${id('turn')}, step, 'a', 's', 'decide', '{"messages": ["${'word '.repeat(60)}"]}', '{"a": 1}', ${old}, ${old}
    from numbers, generate_series(1, 3) step`,
  tool_calls: `insert into tool_calls (turn, step, tool, arguments, approval, state, started_at, finished_at)
    select ${id('turn')}, 3, 't', '{}', ${id('approval')}, 'done', ${old}, ${old} from numbers`,
  deliveries: `insert into deliveries (turn, target, channel, content, state, created_at, delivered_at)
    select ${id('turn')}, '{}', 'cli', repeat('word ', 40), 'delivered', ${old}, ${old} from numbers`,
  delivery_targets: `insert into delivery_targets (target, last_used_at) select 'old:' || n, ${old} from numbers`,
  'inbox, finished': `insert into inbox (consumer, source, event, state, reply, received_at, finished_at)
    select 'agent', '/old', 'e' || n, 'finished', repeat('event ', 60), ${old}, ${old} from numbers`,
  'inbox, leased': `insert into inbox (consumer, source, event, state, lease_until, received_at)
    select 'agent', '/old', 'l' || n, 'leased', ${old}, ${old} from numbers`,
  dead_letters: `insert into dead_letters (id, event, event_type, outcome, state, received_at, decided_by, decided_at)
    select ${id('letter')}, repeat('event ', 60), 'x', 'closed', 'discarded', ${old}, 'x', ${old} from numbers`,
  'writes, finished': `insert into writes (key, tool, arguments_hash, person, state, not_after, outcome, claimed_at, finished_at)
    select ${id('write')}, 't', '', 'x', 'done', ${old}, '{}', ${old}, ${old} from numbers`,
  'writes, unfinished': `insert into writes (key, tool, arguments_hash, person, state, not_after, claimed_at)
    select ${id('unfinished')}, 't', '', 'x', 'claimed', ${old}, ${old} from numbers`,
  identity_links: `insert into identity_links (hash, identity, channel, created_at, expires_at)
    select sha256(n::text::bytea), 'slack:T/U' || n, 'slack', ${old}, ${old} from numbers`,
  audit: `insert into audit (at, actor, action, subject)
    select ${old}, (1 + n % 1000) || '@old.example', 'identity.linked', 'slack:T/U' || n from numbers`,
  attachments: `insert into attachments (id, identity, caller, object, name, media_type, bytes, sha256, created_at, stored_at,
      expires_at)
    select ${id('file')}, 'email:' || (1 + n % 1000) || '@old.example', 'old', 'k/' || n, 'n', 'text/plain', 1, ''::bytea, ${old},
      ${old}, ${old} from numbers`,
}

/** Fills a migrated, empty database, and analyzes it as Postgres does by itself soon after. */
export async function fillWithOldRows(database: Database, rows: number, say: (line: string) => void): Promise<void> {
  for (const [what, statement] of Object.entries(fillings)) {
    await database.unsafe(
      statement.replace('insert into', `with numbers as (select generate_series(1, ${rows}) n) insert into`),
    )
    say(`  ${what}`)
  }
  await database`analyze`
}
