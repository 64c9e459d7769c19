import { join } from 'node:path'
import { demoPorts, localModelName, type Ports } from '../local/platform/plan.ts'
import { makeToolIdentity, type Platform, startPlatform } from '../local/platform/platform.ts'
import { isFree } from '../local/platform/ports.ts'
import { type RunningPostgres, startPostgres } from '../local/postgres/start.ts'
import { probeModel } from '../shared/model/index.ts'
import { wholeNumber } from '../shared/settings/environment.ts'

/**
 * `make demo`: the whole system on this machine, until Ctrl-C. Settings: API_PORT, SERVICENOW_PORT, DATABASE_URL,
 * LLM_URL with LLM_MODEL and LLM_API_KEY, SERVICENOW_URL with SERVICENOW_API_KEY.
 */
const root = join(import.meta.dirname, '..')
const data = join(root, '.data')
const environment = process.env

const ports: Ports = {
  ...demoPorts,
  ingress: wholeNumber(environment, 'API_PORT', demoPorts.ingress, [1, 65_535]),
  servicenowMock: wholeNumber(environment, 'SERVICENOW_PORT', demoPorts.servicenowMock, [1, 65_535]),
}

let postgres: RunningPostgres | undefined
let platform: Platform | undefined
let stopping: Promise<void> | undefined

function stop(): Promise<void> {
  stopping ??= (async () => {
    await platform?.stop()
    await postgres?.stop()
  })()
  return stopping
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`)
}

async function fail(sentence: string): Promise<never> {
  process.stderr.write(`\n${sentence}\n`)
  await stop()
  process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping === undefined) say('\nStopping …')
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        process.exit(1)
      },
    )
  })
}

const started = performance.now()
try {
  await requirePorts()
  const llm = await chooseModel()
  if (!environment['DATABASE_URL']) {
    say('Starting Postgres …')
    postgres = await startPostgres({ folder: join(data, 'postgres'), port: 0 })
  }
  platform = await startPlatform(
    {
      root,
      data,
      ports,
      databaseUrl: environment['DATABASE_URL'] ?? postgres?.url ?? '',
      llm,
      servicenow: environment['SERVICENOW_URL']
        ? { url: environment['SERVICENOW_URL'], apiKey: environment['SERVICENOW_API_KEY'] ?? '' }
        : null,
      toolIdentity: makeToolIdentity(),
    },
    say,
  )
  // Ready means that a model call went through, not that a port is open.
  const asked = await probeModel(
    llm ?? { url: `http://127.0.0.1:${ports.model}/v1`, model: localModelName, apiKey: 'none' },
    AbortSignal.timeout(60_000),
  )
  if (!asked.ok) await fail(asked.sentence)
  banner(
    llm?.model ?? `${localModelName} (a small deterministic stand-in, no language model; set LLM_URL for a real one)`,
  )
  const sentence = await platform.broken
  if (sentence !== '') await fail(sentence)
} catch (error) {
  if (stopping === undefined) await fail(error instanceof Error ? error.message : String(error))
}

async function requirePorts(): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (await isFree(port)) continue
    const remedy =
      name === 'ingress'
        ? 'choose another with API_PORT=…'
        : name === 'servicenowMock'
          ? 'choose another with SERVICENOW_PORT=…'
          : 'stop what listens there'
    await fail(`Port ${port} (${name}) is in use: is another demo running? Otherwise ${remedy}.`)
  }
}

async function chooseModel(): Promise<{ url: string; model: string; apiKey: string } | null> {
  const url = environment['LLM_URL']
  if (!url) return null
  const llm = { url, model: environment['LLM_MODEL'] ?? '', apiKey: environment['LLM_API_KEY'] ?? 'none' }
  if (llm.model === '') await fail('LLM_URL is set but LLM_MODEL is not: it is the name of the model to ask there.')
  const probed = await probeModel(llm, AbortSignal.timeout(60_000))
  if (!probed.ok) await fail(probed.sentence)
  return llm
}

function banner(model: string): void {
  const api = `http://127.0.0.1:${ports.ingress}`
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  say(`
Ready in ${seconds} s. Ctrl-C stops everything; the data stays in .data (make clean removes it).

  Talk to it      make chat EMAIL=alice.johnson@company.com
  API             ${api}   (its description: ${api}/openapi.json)
  ServiceNow      ${environment['SERVICENOW_URL'] ?? `http://127.0.0.1:${ports.servicenowMock}   (a mock; this page lists its tickets)`}
  Model           ${model}
  Logs            .data/logs

  curl ${api}/api/v1/requests \\
    -H "Authorization: Bearer $(make -s token EMAIL=alice.johnson@company.com)" \\
    -H 'Content-Type: application/json' -d '{"content": "I need a new laptop"}'
`)
}
