import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaults } from '../local/model/settings.ts'
import { withDatabase } from '../local/postgres/with-database.ts'
import { loadAgents } from '../shared/flow/index.ts'
import { type Model, openModel, probeModel } from '../shared/model/index.ts'
import type { Environment } from '../shared/settings/environment.ts'
import type { Database } from '../shared/store/connect.ts'
import { agentsFolder, composeWorld } from '../test/compose-world.ts'
import { type Case, parseCases } from './cases.ts'
import { patient } from './patient-model.ts'
import { describeMachine, type Run, writeJson, writePage, writeText } from './report.ts'
import { employeesFor, type Outcome, runCases } from './run-cases.ts'

/**
 * Runs a file of messages through the whole agent and reports how many were understood. The exit code is 0 whatever
 * the figure is, 1 where a message could not be run.
 */
const usage = `Usage: evaluations/run.ts FILE [--write docs/evaluation.md]

FILE is a JSON array of cases, as in evaluations/example.json. The model is the local one (lexical, no language model),
or the one of LLM_URL with LLM_MODEL and LLM_API_KEY. --write also writes the report as a page, and
reports/evaluation.json.
`

/** A sentence for the person at the terminal; everything else that is thrown is a defect. */
class Trouble extends Error {}

const root = join(import.meta.dirname, '..')

async function main(argv: string[], environment: Environment, signal: AbortSignal): Promise<number> {
  const { file, page } = readArguments(argv)
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new Trouble(`${file} cannot be read.`, { cause })
  })
  const cases = readCases(bytes.toString('utf8'))
  const model = await chooseModel(environment, signal)
  const outcomes = await withDatabase('evaluation', (database) => evaluate(cases, database, model.model, signal))
  const run: Run = {
    file: basename(file),
    fileHash: createHash('sha256').update(bytes).digest('hex'),
    date: new Date(),
    model: { name: model.name, local: model.model === undefined },
    machine: describeMachine(),
    outcomes,
  }
  process.stdout.write(writeText(run))
  if (page !== undefined) {
    await put(page, writePage(run))
    await put(join(root, 'reports/evaluation.json'), writeJson(run))
  }
  return outcomes.every(({ ran }) => ran) ? 0 : 1
}

function readArguments(argv: string[]): { file: string; page: string | undefined } {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { write: { type: 'string' } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new Trouble(usage)
    return { file, page: values.write }
  } catch (cause) {
    throw new Trouble(usage, { cause })
  }
}

function readCases(text: string): Case[] {
  try {
    return parseCases(text)
  } catch (cause) {
    throw new Trouble(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** The model of the environment; undefined where that names none, and the local one answers. */
async function chooseModel(
  environment: Environment,
  signal: AbortSignal,
): Promise<{ name: string; model: Model | undefined }> {
  const url = environment['LLM_URL']
  if (!url) return { name: defaults.model, model: undefined }
  const llm = { url, model: environment['LLM_MODEL'] ?? '', apiKey: environment['LLM_API_KEY'] || 'none' }
  if (llm.model === '')
    throw new Trouble('LLM_URL is set but LLM_MODEL is not: it is the name of the model to ask there.')
  const probed = await probeModel(llm, AbortSignal.any([signal, AbortSignal.timeout(60_000)]))
  if (!probed.ok) throw new Trouble(probed.sentence)
  return { name: llm.model, model: patient(openModel(llm)) }
}

async function evaluate(
  cases: Case[],
  database: Database,
  model: Model | undefined,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const employees = employeesFor(cases.length)
  const agents = await loadAgents(agentsFolder)
  const world = await composeWorld(database, { employees, ...(model === undefined ? {} : { model }) })
  try {
    const { pipeline, mock } = world
    return await runCases(cases, { pipeline, mock, database, agents, employees }, { signal, onProgress: showProgress })
  } finally {
    await world.close()
  }

  function showProgress(done: number, next: Case | undefined): void {
    if (!process.stderr.isTTY) return
    process.stderr.write(next ? `\r\x1b[K${done + 1}/${cases.length} ${next.situation}` : '\r\x1b[K')
  }
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  process.stdout.write(`wrote ${path}\n`)
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort(new Trouble('Stopped: nothing was written.')))
}
main(process.argv.slice(2), process.env, stopping.signal).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    const shown = error instanceof Trouble ? error.message : error instanceof Error ? error.stack : String(error)
    process.stderr.write(`${shown?.trimEnd()}\n`)
    process.exitCode = 1
  },
)
