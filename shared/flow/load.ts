import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../errors/fault.ts'
import type { ToolCatalogue } from '../tools/catalogue.ts'
import type { Agents } from './agent.ts'
import type { AgentFault } from './check/check-agents.ts'
import { gatherAgents } from './gather-agents.ts'

export type { AgentFault }

/**
 * Loads and checks every agent of a folder against the folder's tools.json. Throws Fault `flow.invalid` that lists every
 * fault as `file:line: text`.
 */
export async function loadAgents(folder: string): Promise<Agents> {
  const { readAgents } = await import('./check/check-agents.ts')
  const { agents, faults } = await readAgents(folder, await toolsOf(folder))
  if (faults.length > 0) throw new Fault('flow.invalid', faults.map(faultLine).join('\n'))
  return gatherAgents(
    agents.map(({ agent, text }) => ({ agent, version: createHash('sha256').update(text).digest('hex') })),
  )
}

/** Every fault of every agent in the folder, by file and line; none: the folder can be loaded. */
export async function checkAgents(folder: string, tools: ToolCatalogue): Promise<AgentFault[]> {
  // YAML and the rules are of no use once the agents are loaded, so they are not loaded with the engine.
  const { readAgents } = await import('./check/check-agents.ts')
  return (await readAgents(folder, tools)).faults
}

/** The folder's tools.json, or an empty catalogue where agents that call no tool have none. */
export async function toolsOf(folder: string): Promise<ToolCatalogue> {
  const file = join(folder, 'tools.json')
  try {
    await access(file)
  } catch {
    return {}
  }
  const { readToolCatalogue } = await import('../tools/catalogue.ts')
  return readToolCatalogue(file)
}

export function faultLine({ file, line, message }: AgentFault): string {
  return `${file}:${line}: ${message}`
}
