import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { machineLine } from './load/figures.ts'
import { judgePooler } from './load/left-behind.ts'
import { type PhaseResult, runPhase } from './load/phases.ts'
import { findPgBouncer } from './load/pooler.ts'
import { readSettings, usage } from './load/settings.ts'
import { startStack } from './load/stack.ts'
import { tableOf } from './load/table.ts'

/** `make load`: laws 1, 2 and 8 under load. See usage in load/settings.ts. */
const root = join(import.meta.dirname, '..')
const say = (sentence: string): void => console.log(sentence)
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort(new Error('stopped')))
}

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2), root, (await findPgBouncer()) !== null)
  if (settings === null) {
    say(usage)
    return 0
  }
  const machine = machineLine()
  say(machine)
  const results: PhaseResult[] = []
  /** What was wrong behind the pooler, whatever the phase. */
  const pooled: string[] = []
  const versions: Record<string, string> = {}
  for (const way of settings.ways) {
    say(`Starting ${settings.instances} instances of each function, connected by way of ${way} …`)
    const stack = await startStack(settings, way, root)
    try {
      versions['postgres'] = stack.postgres
      if (stack.pooler) versions['pgbouncer'] = stack.pooler.version
      for (const phase of settings.phases) {
        stopping.signal.throwIfAborted()
        const result = await runPhase(stack, phase, settings, { say, signal: stopping.signal })
        for (const violation of result.violations.slice(0, 20)) say(`  VIOLATION: ${violation}`)
        results.push(result)
      }
      if (stack.pooler) pooled.push(...(await judgePooler(stack.pooler)))
    } finally {
      await stack.stop()
    }
  }
  for (const violation of pooled) say(`  VIOLATION: ${violation}`)
  const violations = [...results.flatMap((result) => result.violations), ...pooled]
  await mkdir(dirname(settings.report), { recursive: true })
  const report = {
    date: new Date().toISOString(),
    machine,
    versions,
    violations: violations.length,
    pooled,
    phases: results,
  }
  await writeFile(settings.report, `${JSON.stringify(report, null, 2)}\n`)
  say(tableOf(results))
  say(`${violations.length} violations; ${relative(process.cwd(), settings.report)}`)
  return violations.length === 0 ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
