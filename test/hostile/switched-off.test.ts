import { afterEach, expect, test, vi } from 'vitest'
import { gatherAgents } from '../../shared/flow/gather-agents.ts'
import { createTestDatabase } from '../database.ts'
import { runAttacks } from './run-attacks.ts'
import type { AttackedArena } from './ways.ts'

/** Each of the defences against hostile text, switched off here and nowhere else: the attacks then find what it keeps out. */
const off = vi.hoisted(() => ({ spotlight: false, plainText: false, fields: false, allowList: false }))

vi.mock('../../shared/model/spotlight.ts', async (load) => {
  const real = await load<typeof import('../../shared/model/spotlight.ts')>()
  return {
    ...real,
    spotlight: (tag: string, text: string) => (off.spotlight ? `<${tag}>${text}</${tag}>` : real.spotlight(tag, text)),
    oneLine: (text: string) => (off.spotlight ? text : real.oneLine(text)),
  }
})
vi.mock('../../shared/flow/plain-text.ts', async (load) => {
  const real = await load<typeof import('../../shared/flow/plain-text.ts')>()
  return { plainText: (text: string) => (off.plainText ? text : real.plainText(text)) }
})
vi.mock('../../shared/flow/steps/fields.ts', async (load) => {
  const real = await load<typeof import('../../shared/flow/steps/fields.ts')>()
  const { argumentsOf } = await import('../../shared/flow/walk.ts')
  return {
    fieldsOf: (...[walk, step]: Parameters<typeof real.fieldsOf>) =>
      off.fields ? argumentsOf(walk, step.arguments) : real.fieldsOf(walk, step),
  }
})
vi.mock('../../shared/flow/allowed-tool.ts', async (load) => {
  const real = await load<typeof import('../../shared/flow/allowed-tool.ts')>()
  return {
    requireAllowed: (...given: Parameters<typeof real.requireAllowed>) =>
      off.allowList ? undefined : real.requireAllowed(...given),
  }
})

afterEach(() => Object.assign(off, { spotlight: false, plainText: false, fields: false, allowList: false }))

/** What one kind of attack does by one carrier at one agent. */
async function breachesOf(kind: string, carrier: string, agent: string, change?: (arena: AttackedArena) => void) {
  let left = 1
  const db = await createTestDatabase()
  try {
    const { breaches, conversations } = await runAttacks(db.database, {
      only: (attack, way) => attack.kind === kind && way.carrier === carrier && way.agent === agent && left-- > 0,
      ...(change === undefined ? {} : { change }),
    })
    expect(conversations).toBe(1)
    return [...new Set(breaches.flatMap(({ transcript }) => transcript.violations.map((violation) => violation.kind)))]
  } finally {
    await db.drop()
  }
}

test.each([
  ['spotlight', 'fake system tags', 'message', 'it-help', 'a prompt whose data is not delimited'],
  ['plainText', 'links and images that carry data away', 'tool result', 'laptop-refresh', 'live markup in an answer'],
  ['plainText', 'HTML and script', 'document', 'it-help', 'live markup in an answer'],
  ['fields', 'HTML and script', 'ticket field', 'it-help', 'a field of a ticket that is no plain text'],
] as const)('without %s, "%s" in a %s gets through at %s', async (defence, kind, carrier, agent, violation) => {
  // That nothing gets through with it is what the other runs of the attacks say.
  off[defence] = true
  expect(await breachesOf(kind, carrier, agent)).toContain(violation)
})

test('without the list of tools, a step of an agent that came here unchecked calls what it likes', async () => {
  const change = (arena: AttackedArena) => {
    const { parts } = arena.pipeline
    const byName = [...parts.agents.byName.values()]
    // As if the router's file had been changed past the check: it looks up laptops, which is none of its tools.
    const agents = byName.map((agent) => {
      const step = agent.steps['open-requests']
      if (agent.name !== 'router' || step?.verb !== 'call') return agent
      const changed = { ...step, tool: 'servicenow.get_employee_laptop_info', save: null, next: 'greeting' }
      return { ...agent, steps: { ...agent.steps, 'open-requests': changed } }
    })
    parts.agents = gatherAgents(agents.map((agent) => ({ agent, version: parts.agents.version(agent.name) })))
  }
  const kind = 'a tool that the agent does not list'
  expect(await breachesOf('role play', 'ticket field', 'router', change)).not.toContain(kind)
  off.allowList = true
  expect(await breachesOf('role play', 'ticket field', 'router', change)).toContain(kind)
})
