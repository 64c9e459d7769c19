import type { HostedFunction } from '../shared/stage/function.ts'
import { run } from '../shared/stage/run.ts'

/** The functions of the one image; FUNC_STAGE says which of them this process is. */
const functions: Record<string, () => Promise<{ createFunction: () => HostedFunction }>> = {
  ingress: () => import('./ingress/index.ts'),
  normalize: () => import('./normalize/index.ts'),
  route: () => import('./route/index.ts'),
  agent: () => import('./agent/index.ts'),
  dispatch: () => import('./dispatch/index.ts'),
  keeper: () => import('./keeper/index.ts'),
  servicenow: () => import('./servicenow/index.ts'),
}

const stage = process.env['FUNC_STAGE'] ?? ''
const load = functions[stage]
if (load === undefined) {
  console.error(`FUNC_STAGE is "${stage}": set it to one of ${Object.keys(functions).join(', ')}.`)
  process.exit(1)
}
try {
  await run(stage, (await load()).createFunction())
} catch (error) {
  // A setting that is missing or wrong: its one sentence, not a stack.
  console.error(`${stage}: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
