import { join } from 'node:path'
import { Fault } from '../../shared/errors/fault.ts'
import { loadAgents } from '../../shared/flow/index.ts'
import { openModel } from '../../shared/model/index.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { onceWithLease } from '../../shared/stage/once.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { readToolCatalogue } from '../../shared/tools/catalogue.ts'
import { createToolCaller } from './call-tool.ts'
import type { AgentParts } from './parts.ts'
import { runStep } from './run-step.ts'
import { readSettings } from './settings.ts'

/** agent: runs one step of a turn. See functions/agent/run-step.ts. */
export function createFunction(environment = process.env): StageFunction {
  const settings = readSettings(environment)
  const database = connect(settings.databaseUrl, { name: 'agent' })
  const now = () => new Date()
  let parts: AgentParts | undefined
  const started = (): AgentParts => {
    if (parts === undefined) throw new Fault('stage.failed', 'handle was called before init')
    return parts
  }
  return {
    async init() {
      const [agents, catalogue] = await Promise.all([
        loadAgents(settings.agentsFolder),
        readToolCatalogue(join(settings.agentsFolder, 'tools.json')),
      ])
      parts = {
        database,
        agents,
        model: openModel(settings.model),
        callTool: createToolCaller({ servers: settings.toolServers, catalogue, key: settings.toolIdentity, now }),
        now,
        limits: settings.limits,
      }
    },
    handle: toHandle(
      onceWithLease({ consumer: 'agent', database, work: (event, lease) => runStep(event, lease, started()) }),
    ),
    readiness: () => checkStore(database),
    shutdown: () => database.end({ timeout: 5 }),
  }
}
