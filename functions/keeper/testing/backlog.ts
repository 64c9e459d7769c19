import type { World } from '../../../test/world.ts'
import { minutes, openTurn } from './scenes.ts'

/**
 * Turns that wait for the model, as an outage leaves them: so many of each tenant, asked evenly over the last
 * `overMs` milliseconds, each with fifteen minutes from its beginning.
 */
export async function leaveWaiting(world: World, tenants: Record<string, number>, overMs: number): Promise<void> {
  const { database } = world.db
  const { id } = await openTurn(world, 'first@company.com')
  await database`update turns set state = 'failed', finished_at = opened_at, delivered = true where request = ${id}`
  await database`update sessions set turn = null, pending_event = null`
  for (const [tenant, count] of Object.entries(tenants)) {
    const who = `%@${tenant}.example`
    await database`
      insert into people (email) select n || '@' || ${tenant}::text || '.example' from generate_series(1, ${count}::int) n`
    await database`
      insert into sessions (id, tenant, person, expires_at, last_message)
      select gen_random_uuid(), ${tenant}, id, now() + interval '14 days', 1 from people where email like ${who}`
    await database`
      insert into requests (id, caller, identity, channel, body_hash, content, event, target, traceparent, session, message, state)
      select gen_random_uuid(), p.email, 'email:' || p.email, r.channel, '', r.content, r.event, r.target, r.traceparent, s.id, 1,
        'queued'
      from requests r, people p join sessions s on s.person = p.id where r.id = ${id} and p.email like ${who}`
    await database`
      insert into messages (session, number, role, content, request, state, created_at)
      select session, message, 'employee', content, id, 'taken', accepted_at from requests where caller like ${who}`
    const step = overMs / count
    await database`
      insert into turns (id, session, message, request, agent, state, opened_at, deadline)
      select gen_random_uuid(), session, message, id, 'router', 'waiting', at, at + ${15 * minutes}::int * interval '1 ms'
      from (select *, ${world.pipeline.now()}::timestamptz - ${step}::float8 * interval '1 ms' *
        (row_number() over (order by id) - 0.5) as at from requests where caller like ${who}) asked`
  }
  await database`update sessions s set turn = t.id from turns t where t.session = s.id and t.state = 'waiting'`
  // As Postgres does by itself within a minute.
  await database`analyze`
}

/** That the model has answered a step of somebody just now. */
export async function answerSomebody({ db, pipeline }: World): Promise<void> {
  await db.database`
    insert into steps (turn, number, agent, name, kind, prompt_hash, started_at, finished_at)
    select id, (select count(*) from steps), agent, 'begin', 'decide', 'hash', ${pipeline.now()}, ${pipeline.now()}
    from turns where state = 'failed' limit 1`
}
