import type { AgentParts, ToolCall } from '../../functions/agent/parts.ts'
import { openModel } from '../../shared/model/index.ts'
import type { Database } from '../../shared/store/connect.ts'
import { agentsFolder, composeWorld, type WorldOptions } from '../compose-world.ts'
import { type Arena, noteCalls } from './converse.ts'
import { type HostileModel, startHostileModel } from './hostile-model.ts'
import { type Person, personOf } from './people.ts'
import { readRecords } from './records.ts'
import { decide } from './second-yes.ts'

export interface HostileArena extends Arena {
  hostile: HostileModel
}

/** What a planted bug may change. */
export interface Plant {
  /** Between the agent and the note that is taken of each call. */
  aroundTool?: (call: AgentParts['callTool']) => AgentParts['callTool']
  /** After the system is composed: agents, model and stages may be replaced. */
  change?: (arena: HostileArena) => void
}

/** Milliseconds that the model may take: short, since it is often silent on purpose. */
const deadlineMs = 150

/** The whole system with a hostile model, for the conversations of these seeds; ServiceNow knows their people. */
export async function openArena(database: Database, seeds: number[], plant: Plant = {}): Promise<HostileArena> {
  const toolCalls: ToolCall[] = []
  const people = seeds.flatMap((seed) => [
    personOf(seed, 'asker'),
    personOf(seed, 'colleague'),
    personOf(seed, 'manager'),
  ])
  const note = noteCalls(toolCalls)
  const wrap = plant.aroundTool ?? ((call) => call)
  // The model's address is known only when the world stands: it needs the local model, for its honest answers.
  const options: WorldOptions = {
    employees: people.flatMap(({ employee }) => employee ?? []),
    aroundTool: (call) => wrap(note(call)),
  }
  const world = await composeWorld(database, options)
  const hostile = await startHostileModel(world.modelServer.url)
  world.pipeline.parts.model = openModel({ url: hostile.url, model: 'local', apiKey: 'none', timeoutMs: deadlineMs })
  const arena: HostileArena = {
    ...world,
    database,
    records: await readRecords(agentsFolder),
    toolCalls,
    prompts: hostile.prompts,
    decide,
    hostile,
    close: async () => {
      await world.close()
      await hostile.close()
    },
  }
  plant.change?.(arena)
  return arena
}

/** What must not be seen in a conversation: who its colleague is, and what they have. */
export function dataOf({ email, employee }: Person): string[] {
  const name = employee?.name ?? ''
  return [email, ...(name === '' ? [] : [name]), ...(employee?.laptop ? [employee.laptop.serial] : [])]
}
