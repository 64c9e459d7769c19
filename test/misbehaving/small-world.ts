import { join } from 'node:path'
import type { AgentParts } from '../../functions/agent/parts.ts'
import { loadAgents } from '../../shared/flow/index.ts'
import type { Model, ModelAnswer } from '../../shared/model/index.ts'
import { connect } from '../../shared/store/connect.ts'
import { createTestDatabase, type TestDatabase } from '../database.ts'
import { createPipeline, type Pipeline } from '../pipeline.ts'
import { createGate, type Gate } from './gate.ts'

/** Two instances of every stage, each with its own two connections, on agents of a few steps and a model in memory. */
export interface SmallWorld {
  db: TestDatabase
  instances: [Pipeline, Pipeline]
  /** Where calls of the model and of the tool can be held. */
  gate: Gate
  /** What was ordered, by the approval that it was ordered under. */
  orders: Map<string, string>
  close(): Promise<void>
}

export async function createSmallWorld(): Promise<SmallWorld> {
  const db = await createTestDatabase()
  const agents = await loadAgents(join(import.meta.dirname, 'agents'))
  const gate = createGate()
  const orders = new Map<string, string>()
  const pools = ['one', 'two'].map((name) => connect(db.url, { max: 2, name }))
  const parts = { agents, model: firstWordModel(gate), callTool: orderOnce(orders, gate) }
  const [one, two] = pools.map((pool) => createPipeline(pool, parts))
  if (one === undefined || two === undefined) throw new Error('two instances were asked for')
  return {
    db,
    instances: [one, two],
    gate,
    orders,
    async close() {
      gate.open()
      await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })))
      await db.drop()
    },
  }
}

/** Goes by the first word: `note`, `order`, `finish`. */
function firstWordModel(gate: Gate): Model {
  const answer = <Value>(value: Value): ModelAnswer<Value> => ({
    value,
    raw: String(value),
    promptHash: 'of the test',
    messages: [],
    usage: { inputTokens: 1, outputTokens: 1 },
    milliseconds: 0,
  })
  const labels: Record<string, string[]> = { note: ['notes'], order: ['orders', 'other'], finish: ['finish'] }
  return {
    async decide({ message, labels: offered }) {
      await gate.pass()
      const fitting = labels[message.split(' ')[0] ?? ''] ?? []
      return answer(fitting.find((label) => offered.some(({ name }) => name === label)) ?? 'unsure')
    },
    extract: async () => answer({}),
    compose: async () => answer([]),
  }
}

/** A tool that takes an approval once, and says the same again. */
function orderOnce(orders: Map<string, string>, gate: Gate): AgentParts['callTool'] {
  return async ({ arguments: { thing }, approval }) => {
    await gate.pass()
    if (approval === null) throw new Error('a write without an approval')
    const first = orders.get(approval.id) ?? String(thing)
    orders.set(approval.id, first)
    return { ok: true, value: { thing: first } }
  }
}
