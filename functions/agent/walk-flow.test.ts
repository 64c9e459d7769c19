import { expect, test } from 'vitest'
import { type Agent, gatherAgents, type Json, startFlow } from '../../shared/flow/index.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { type Outside, walkFlow } from './walk-flow.ts'

const agent: Agent = {
  name: 'router',
  title: 'Router',
  description: 'tells what a tool answers',
  examples: [],
  tools: ['system.look'],
  slots: {},
  variables: { answer: null, failure: null },
  anytime: [],
  start: 'look',
  steps: {
    look: {
      verb: 'call',
      tool: 'system.look',
      arguments: {},
      approval: null,
      save: 'answer',
      timeoutMs: 1_000,
      retries: 0,
      failure: 'done',
      next: 'tell',
    },
    tell: { verb: 'say', say: '{% for field in answer %}{{ field[0] }} {% endfor %}', next: 'done' },
    done: { verb: 'end' },
  },
}
const agents = gatherAgents([{ agent, version: '00' }])

const turn: TurnInContext = {
  ...{ id: 't', session: 's', message: 1, request: 'r', agent: 'router', state: 'open', step: 0, flow: null, said: [] },
  ...{ openedAt: new Date(0), deadline: new Date(0), inputTokens: 0, outputTokens: 0, content: 'hello' },
  ...{ email: 'a@b.c', speaker: 'a@b.c', caller: 'a', button: null, decided: null, tenant: 'default', current: 't' },
  ...{ sessionInputTokens: 0, sessionOutputTokens: 0 },
}

function answering(value: Json): Outside {
  return {
    now: new Date(0),
    findApproval: async () => null,
    read: async () => ({ kind: 'rows', rows: [] }),
    perform: async ({ kind, step }) => ({
      record: {
        ...{ kind, step, promptHash: null, request: null, answer: value, inputTokens: 0, outputTokens: 0, write: null },
      },
      result: { kind: 'called', outcome: { ok: true, value } },
    }),
  }
}

test("the order of an answer's keys, which Postgres does not keep, changes nothing that is said", async () => {
  const asItCame = await walkFlow(turn, agents, answering({ zeta: 1, nu: { b: 1, a: 2 }, alpha: 3 }))
  const fromTheJournal = await walkFlow(turn, agents, answering({ nu: { a: 2, b: 1 }, zeta: 1, alpha: 3 }))
  expect(asItCame.said).toEqual(['alpha nu zeta'])
  expect(fromTheJournal).toMatchObject({ said: asItCame.said, flow: asItCame.flow })
})

test('nor does that of a stored state', async () => {
  const flow = { ...startFlow(agent), at: 'tell', variables: { answer: { zeta: 1, nu: 2, alpha: 3 }, failure: null } }
  const { said } = await walkFlow({ ...turn, step: 1, flow }, agents, answering(null))
  expect(said).toEqual(['alpha nu zeta'])
})
