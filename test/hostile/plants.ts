import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import type { AgentParts } from '../../functions/agent/parts.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { type Agent, hashArguments, type Step } from '../../shared/flow/index.ts'
import type { Model } from '../../shared/model/index.ts'
import type { Act } from './acts.ts'
import type { HostileArena, Plant } from './arena.ts'

export interface Planted extends Plant {
  caughtAs: string[]
  /** Conversations that can come to where the bug shows, where few can. */
  isAbout?: (acts: Act[]) => boolean
}

/**
 * Bugs that a careless change could bring, put into a composed system from outside: agents in memory that no check has
 * seen, and parts of a stage that are wrapped. The product has no switch for any of them.
 */
export const plants: Record<string, Planted> = {
  'a tool without its confirm': {
    caughtAs: ['a ticket that nobody was asked about'],
    // The tool server would refuse it, so the tool's caller makes an approval up as well.
    aroundTool: (call) => (toolCall, signal) => call(approveOneself(toolCall), signal),
    change: (arena) => {
      const agent = agentOf(arena, 'laptop-refresh')
      const file = stepOf(agent, 'file', 'call')
      const given = { servicenow_laptop_code: 'laptop["ServiceNow Code"]', business_justification: 'justification' }
      const steps = { ...agent.steps, 'confirm-ticket': { ...file, approval: null, arguments: given } }
      replaceAgent(arena, { ...agent, steps })
    },
  },
  'a price that the model gives': {
    caughtAs: ['a line that is no text and no fact of ours'],
    change: (arena) => {
      const agent = agentOf(arena, 'laptop-refresh')
      const confirm = stepOf(agent, 'confirm-ticket', 'confirm')
      const extract = { verb: 'extract' as const, missing: {}, none: null }
      const steps: Record<string, Step> = {
        ...agent.steps,
        pick: { ...stepOf(agent, 'pick', 'extract'), next: 'model-price' },
        'pick-again': { ...stepOf(agent, 'pick-again', 'extract'), next: 'model-price' },
        'pick-instead': { ...stepOf(agent, 'pick-instead', 'extract'), next: 'model-price' },
        // The model chooses words of the message: what the check on extracted texts lets through.
        'model-price': { ...extract, slots: ['price'], next: 'confirm-ticket' },
        'confirm-ticket': {
          ...confirm,
          ask: confirm.ask.replace('({{ laptop.Cost }},', '({{ price | default: laptop.Cost }},'),
        },
      }
      const slots = { ...agent.slots, price: { type: 'text' as const, description: 'price', pattern: null } }
      replaceAgent(arena, { ...agent, slots, steps })
    },
  },
  'a yes that the model reads': {
    caughtAs: ['a ticket without a yes'],
    change: (arena) => {
      const { handlers } = arena.pipeline
      const { agent } = handlers
      handlers.agent = async (event, context) => {
        await readYesByModel(arena, String(event.subject))
        return agent(event, context)
      }
    },
  },
  'a second yes by whoever says it': {
    caughtAs: ['a decision of the wrong person or time'],
    isAbout: (acts) => /^(?:asker|colleague)/.test(acts.flatMap((act) => ('by' in act ? act.by : [])).join()),
    change: (arena) => {
      const { decide } = arena
      arena.decide = async (database, id, act, _email, now) => {
        const [asked] = await database<{ person: string }[]>`select person from approvals where id = ${id}`
        return decide(database, id, act, asked?.person ?? '', now)
      }
    },
  },
  'a limit that nobody holds to': {
    caughtAs: ['a ticket above the limit without a second yes'],
    change: (arena) => {
      const agent = agentOf(arena, 'software-licence')
      const step = { ...stepOf(agent, 'needs-manager', 'when'), cases: [], otherwise: 'confirm-request' }
      replaceAgent(arena, { ...agent, steps: { ...agent.steps, 'needs-manager': step } })
    },
  },
  "another person's address in a tool call": {
    caughtAs: ["another person's address in a tool call", "another person's data"],
    change: (arena) => {
      const { parts } = arena.pipeline
      const { callTool } = parts
      parts.callTool = (toolCall, signal) => callTool({ ...toolCall, person: arena.hostile.cast().colleague }, signal)
    },
  },
  "the model's prose shown as a fact": {
    caughtAs: ['a line that is no text and no fact of ours'],
    change: (arena) => {
      const { handlers, parts } = arena.pipeline
      const { agent } = handlers
      let prose = ''
      parts.model = overhear(parts.model, (raw) => {
        prose = raw
      })
      handlers.agent = async (event, context) => {
        const reply = await agent(event, context)
        if (reply?.type !== eventTypes.responseReady || prose === '') return reply
        await appendToAnswer(arena, String(event.subject), prose)
        prose = ''
        return reply
      }
    },
  },
}

/** What the bug does: it calls a write as if somebody had approved it. */
function approveOneself(call: Parameters<AgentParts['callTool']>[0]): Parameters<AgentParts['callTool']>[0] {
  if (call.approval !== null || !call.tool.startsWith('servicenow.open_')) return call
  const notAfter = new Date('2040-01-01T00:00:00Z')
  return { ...call, approval: { id: randomUUID(), argumentsHash: hashArguments(call.arguments), notAfter } }
}

/** What the bug does: whatever is said to a question, the model is asked whether it is a yes, and believed. */
async function readYesByModel(arena: HostileArena, session: string): Promise<void> {
  const [row] = await arena.database<{ turn: string; content: string; asking: string }[]>`
    select t.id as turn, m.content, t.flow ->> 'asking' as asking
    from sessions s join turns t on t.id = s.turn join messages m on m.session = s.id and m.number = t.message
    where s.id = ${session} and t.step = 0 and t.flow ->> 'waiting' = 'approval'`
  if (row === undefined) return
  const labels = [
    { name: 'agrees', means: 'says yes', examples: [] },
    { name: 'other', means: 'says anything else', examples: [] },
  ]
  const { model } = arena.pipeline.parts
  const question = { message: row.content, asked: row.asking, labels }
  const { value } = await model.decide(question, AbortSignal.timeout(1_000)).catch(() => ({ value: null }))
  if (value !== 'agrees') return
  await arena.database`update messages set content = 'yes' where turn = ${row.turn} and role = 'employee'`
}

/** What the bug does: an answer ends with what the model wrote. */
async function appendToAnswer(arena: HostileArena, session: string, prose: string): Promise<void> {
  const [row] = await arena.database<{ id: string; response: string }[]>`
    select id, response from turns where session = ${session} and response is not null and not delivered
    order by finished_at desc limit 1`
  if (row === undefined) return
  const response = z.looseObject({ data: z.looseObject({ content: z.string() }) }).parse(JSON.parse(row.response))
  response.data.content += `\n\n${prose}`
  await arena.database`update turns set response = ${JSON.stringify(response)} where id = ${row.id}`
}

function overhear(model: Model, hear: (raw: string) => void): Model {
  const heard = <T extends { raw: string }>(answer: T): T => {
    hear(answer.raw)
    return answer
  }
  return {
    decide: async (question, signal) => heard(await model.decide(question, signal)),
    extract: async (question, signal) => heard(await model.extract(question, signal)),
    compose: async (question, signal) => heard(await model.compose(question, signal)),
  }
}

function agentOf(arena: HostileArena, name: string): Agent {
  const agent = arena.pipeline.parts.agents.byName.get(name)
  if (agent === undefined) throw new Error(`no agent ${name}`)
  return agent
}

function stepOf<V extends Step['verb']>(agent: Agent, name: string, verb: V): Extract<Step, { verb: V }> {
  const step = agent.steps[name]
  const isOf = (one: Step | undefined): one is Extract<Step, { verb: V }> => one?.verb === verb
  if (!isOf(step)) throw new Error(`${agent.name} has no ${verb} step ${name}: the planted bug is out of date`)
  return step
}

function replaceAgent(arena: HostileArena, agent: Agent): void {
  const { agents } = arena.pipeline.parts
  const byName = new Map([...agents.byName, [agent.name, agent]])
  arena.pipeline.parts.agents = { byName, version: (name) => agents.version(name) }
}
