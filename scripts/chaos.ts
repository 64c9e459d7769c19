import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type PlantedBug, plantedBugs } from '../test/chaos/planted-bugs.ts'
import { withPostgres } from '../test/chaos/postgres.ts'
import { hasViolation, repeatCommand, summarise, writeTable, writeTotals } from '../test/chaos/report.ts'
import { runChaos } from '../test/chaos/run.ts'
import type { Outcome } from '../test/chaos/run-case.ts'

const usage = `Usage: scripts/chaos.ts [--points REGEX] [--short] [--seed N] [--lanes N] [--self]

Runs the functions as processes on real Postgres and the development broker, and strikes at every fault point: SIGKILL,
an exception, a hang that outlives the lease and then goes on, connections reset, an answer lost after it took effect.
After each conversation Postgres and ServiceNow must hold one ticket, one answer for each message, in order, and nothing
that waits. Writes reports/chaos.json; the exit code is 1 where anything was wrong.

  --points REGEX  only the cases whose name it matches, as 'conversation / agent: after claim / first / kill'
  --short         each point once, with a kill or a hang
  --seed N        decides what the model says the second time, and the order of redeliveries (1)
  --lanes N       how many conversations run side by side, each on processes of its own (3)
  --self          plants five bugs, one after the other, and fails where the harness does not find each of them
`

const root = join(import.meta.dirname, '..')

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      points: { type: 'string' },
      short: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '3' },
      self: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const seed = wholeNumber('seed', values.seed, 0, 2 ** 31)
  const lanes = wholeNumber('lanes', values.lanes, 1, 8)
  if (values.self) return await withPostgres((adminUrl) => findPlanted(adminUrl, seed))
  const only = values.points === undefined ? {} : { only: new RegExp(values.points) }
  return await withPostgres(async (adminUrl) => {
    const run = await runChaos({ root, adminUrl, seed, lanes, short: values.short, ...only, progress: printProgress })
    for (const outcome of run.undisturbed.filter(({ problems }) => problems.length > 0)) printProblems(outcome, seed)
    const summary = summarise(run)
    process.stdout.write(`\n${writeTable(run)}\n\n${writeTotals(summary)}\n`)
    await mkdir(join(root, 'reports'), { recursive: true })
    await writeFile(join(root, 'reports/chaos.json'), `${JSON.stringify(summary, null, 2)}\n`)
    const failed = run.outcomes.filter(({ problems }) => problems.length > 0)
    for (const { id } of failed) process.stdout.write(`again: ${repeatCommand(id, seed)}\n`)
    if (run.outcomes.length === 0) process.stderr.write('No case was run.\n')
    return hasViolation(run) ? 1 : 0
  })

  function printProgress(outcome: Outcome, done: number, of: number): void {
    const resumed = outcome.resumeMs === null ? '' : `, resumed after ${outcome.resumeMs} ms`
    const verdict = outcome.problems.length === 0 ? 'ok' : 'FAILED'
    process.stdout.write(`${String(done).padStart(4)}/${of} ${verdict} ${outcome.id}${resumed}\n`)
    if (outcome.problems.length > 0) printProblems(outcome, seed)
  }
}

function printProblems({ id, problems, transcript }: Outcome, seed: number): void {
  for (const { kind, what } of problems) process.stdout.write(`     ${kind}: ${what}\n`)
  for (const line of transcript) process.stdout.write(`       | ${line.replaceAll('\n', '\n       |   ')}\n`)
  process.stdout.write(`     again: ${repeatCommand(id, seed)}\n`)
}

/** The harness is itself tested: each planted bug must show. */
async function findPlanted(adminUrl: string, seed: number): Promise<number> {
  let missed = 0
  for (const bug of plantedBugs) {
    const found = await findBug(bug, adminUrl, seed)
    process.stdout.write(`${found === null ? 'MISSED' : 'found '} ${bug.name}${found === null ? '' : `: ${found}`}\n`)
    if (found === null) missed += 1
  }
  return missed === 0 ? 0 : 1
}

/** What gave the bug away, a case before a run without a fault; null where nothing did. */
async function findBug({ changes, cases }: PlantedBug, adminUrl: string, seed: number): Promise<string | null> {
  const run = await runChaos({ root, adminUrl, seed, lanes: 1, only: cases, changes, patienceMs: 25_000 })
  const outcome = [...run.outcomes, ...run.undisturbed].find(({ problems }) => problems.length > 0)
  const [problem] = outcome?.problems ?? []
  return outcome === undefined || problem === undefined
    ? null
    : `${outcome.id}: ${problem.kind}, ${problem.what.slice(0, 200)}`
}

function wholeNumber(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= from && value <= to) return value
  throw new Error(`--${name} is "${text}": it takes a whole number from ${from} to ${to}.`)
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
