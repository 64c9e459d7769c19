import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { atRest } from './at-rest.ts'
import type { ScenarioName } from './cases.ts'
import type { Expected, Problem } from './check-case.ts'
import type { Answer, Exchange } from './service.ts'
import type { ServiceName, Stand } from './stand.ts'

/** What a scenario does to the events of its conversation, beside the fault. */
interface Plan {
  service: ServiceName
  type: string
  /** Let so many of the kind pass first. */
  after: number
}

const givenUp: Plan[] = [
  { service: 'agent', type: eventTypes.agentStep, after: 0 },
  { service: 'normalize', type: eventTypes.requestCreated, after: 3 },
  { service: 'route', type: eventTypes.requestNormalized, after: 3 },
]
const lost: Plan[] = [
  { service: 'normalize', type: eventTypes.requestCreated, after: 0 },
  { service: 'agent', type: eventTypes.agentStep, after: 3 },
  { service: 'route', type: eventTypes.responseReady, after: 3 },
  { service: 'dispatch', type: eventTypes.responseReady, after: 4 },
]

/**
 * Refuses or swallows the planned events in front of their functions, and lets time pass for what was swallowed: the
 * rows are made older, and the keeper gets ticks until everything is at rest.
 */
export function createTrouble(stand: Stand, scenario: ScenarioName, problems: Problem[]) {
  const plans = scenario === 'given-up' ? givenUp : scenario === 'lost-events' ? lost : []
  const passed = new Map<Plan, number>()
  const done = new Set<Plan>()
  const refused = new Set<string>()
  const swallowed = new Set<string>()
  let ended = false
  let ticks = 0

  const expected: Expected = { deadLetters: 0, failed: 0 }

  const takes = (exchange: Exchange): Plan | undefined =>
    plans.find((plan) => {
      if (done.has(plan) || exchange.service !== plan.service || exchange.headers['ce-type'] !== plan.type) return false
      const before = passed.get(plan) ?? 0
      passed.set(plan, before + 1)
      return before >= plan.after
    })

  const tick = async (task: 'repair' | 'keep-house' = 'repair'): Promise<void> => {
    // More than the interval until the next republication, which doubles; never past a turn's deadline.
    const days = 3 * 2 ** ticks
    ticks += 1
    await stand.database.begin(async (sql) => {
      await sql`
        update requests set accepted_at = accepted_at - ${days}::int * interval '1 day' where state = 'accepted'`
      await sql`
        update sessions set pending_since = pending_since - ${days}::int * interval '1 day'
        where pending_event is not null`
      await sql`
        update turns set finished_at = finished_at - ${days}::int * interval '1 day'
        where finished_at is not null and not delivered`
    })
    const event = {
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-source': `/apis/v1/namespaces/self-service-agent/pingsources/${task}`,
      'ce-type': eventTypes.tick,
      'content-type': 'application/json',
    }
    // Its source sends it again, for longer than a dead process' lease on ticks lasts.
    const until = performance.now() + 30_000
    while (performance.now() < until) {
      const response = await fetch(`http://127.0.0.1:${stand.services.keeper.port}/`, {
        method: 'POST',
        headers: event,
        body: JSON.stringify({ task }),
        signal: AbortSignal.timeout(5_000),
      }).catch(() => null)
      await response?.arrayBuffer().catch(() => {})
      if (response?.ok) return
      await pause(200)
    }
    problems.push({ kind: 'stuck', what: 'the keeper took no tick' })
  }

  const settle = async (longestMs: number): Promise<void> => {
    if (scenario !== 'lost-events' && scenario !== 'chores') return atRest(stand, longestMs)
    const until = performance.now() + longestMs
    for (;;) {
      // A second for the events on their way; what is not at rest by then was lost.
      const left = await atRest(stand, 1_000).catch((error: unknown) => error)
      if (left === undefined) return
      if (performance.now() > until) throw left
      if (await owesNothing(stand)) await tick()
    }
  }

  return {
    expected,
    end(): void {
      ended = true
    },
    instead(exchange: Exchange): Pick<Answer, 'status' | 'body'> | null {
      const key = `${exchange.service} ${exchange.id}`
      const plan = takes(exchange)
      if (plan === undefined) return refused.has(key) ? refusal : null
      done.add(plan)
      if (scenario === 'lost-events') {
        swallowed.add(key)
        return { status: 204, body: '' }
      }
      refused.add(key)
      expected.deadLetters += 1
      expected.failed += 1
      return refusal
    },
    /** Ticks as long as the conversation goes on. */
    async run(): Promise<void> {
      while (!ended && scenario === 'lost-events') {
        await pause(50)
        if (swallowed.size > 0 && (await owesNothing(stand)) && (await waitsForLost(stand))) await tick()
      }
    },
    tick,
    settle,
  }
}

const refusal = {
  status: 422,
  body: JSON.stringify({ title: 'refused by the harness', status: 422, code: 'event.data-invalid', detail: '' }),
}

async function owesNothing(stand: Stand): Promise<boolean> {
  const rows = await stand.database`select from broker.deliveries limit 1`
  return rows.length === 0
}

/** Whether something is due that no event will bring. */
async function waitsForLost(stand: Stand): Promise<boolean> {
  await pause(300)
  const [row] = await stand.database<{ waits: boolean }[]>`
    select not exists (select from broker.deliveries) and (
      exists (select from requests where state in ('accepted', 'queued')) or
      exists (select from sessions where pending_event is not null) or
      exists (select from turns where not delivered)) as waits`
  return row?.waits ?? false
}
