import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type DemoSettings, readDemoSettings } from '../local/platform/demo-settings.ts'
import { isHangUpIgnored } from '../local/platform/hang-up.ts'
import { type KeptPart, keepUp } from '../local/platform/keep-up.ts'
import { holdLeash } from '../local/platform/leash.ts'
import { localModelName } from '../local/platform/plan.ts'
import { makeToolIdentity, type Platform, startPlatform } from '../local/platform/platform.ts'
import { whyNotFree } from '../local/platform/ports.ts'
import { announceDemo, withdrawDemo } from '../local/platform/running-demo.ts'
import { watchDatabase } from '../local/platform/watch-database.ts'
import { type RunningPostgres, startPostgres } from '../local/postgres/start.ts'
import { probeModel } from '../shared/model/index.ts'
import { bundleFunctions } from './build.ts'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: scripts/demo.ts [--leash FILE]
Runs the whole system on this machine, until Ctrl-C; \`make demo\` is the usual way to it. A process that ends by itself
is started again; a second Ctrl-C waits for none. Settings are taken from the environment: API_PORT, SERVICENOW_PORT,
DATABASE_URL, LLM_URL with LLM_MODEL and LLM_API_KEY, SERVICENOW_URL with SERVICENOW_API_KEY, and DEMO_DATA_DIR and
DEMO_PORT_BASE for a second demo beside the first. --leash makes FILE, and stops the demo once FILE or the process that
started it is gone: this is how make passes a signal on.`,
  { valued: ['leash'] },
)
const root = join(import.meta.dirname, '..')
const environment = process.env

/** A sentence for the person at the terminal, after which nothing is left to do. */
class Trouble extends Error {}

const started = performance.now()
const starting = new AbortController()
let settings: DemoSettings | undefined
let postgres: Promise<KeptPart<RunningPostgres>> | undefined
let platform: Promise<Platform> | undefined
let leash: { drop(): Promise<void> } | undefined
let stopping: Promise<void> | undefined
let stoppingSince = 0

/** Stops what has started, and what is just starting; whoever asks again waits for the same end. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    stoppingSince = performance.now()
    starting.abort()
    await (await platform?.catch(() => undefined))?.stop()
    await (await postgres?.catch(() => undefined))?.stop()
    if (settings !== undefined) await withdrawDemo(settings.data)
    await leash?.drop()
  })()
  return stopping
}

/** Ends the processes that are still being stopped without waiting for their work, which is redone at the next start. */
async function hurry(): Promise<void> {
  for (const child of (await platform?.catch(() => undefined))?.children ?? []) child.process.kill('SIGKILL')
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`)
}

function complain(error: unknown): void {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
}

function stopAndExit(): void {
  if (stopping === undefined) say('\nStopping …')
  stop().then(
    () => process.exit(0),
    (error: unknown) => {
      complain(error)
      process.exit(1)
    },
  )
}

const staysAfterHangUp = await isHangUpIgnored()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signal === 'SIGHUP' && staysAfterHangUp) return
    // One Ctrl-C may arrive twice, by way of make; a second one of a person's takes longer.
    const again = stopping !== undefined && performance.now() - stoppingSince > 500
    stopAndExit()
    if (again && signal === 'SIGINT') void hurry()
  })
}
// A closed terminal: nobody is there any more to read, or to press Ctrl-C.
for (const stream of [process.stdout, process.stderr]) stream.on('error', stopAndExit)

run().catch(async (error: unknown) => {
  // Whatever fails while everything is being stopped is stopped too.
  if (stopping !== undefined) return
  complain(error)
  await stop()
  process.exit(1)
})

async function run(): Promise<void> {
  const [file] = command.values('leash')
  if (file !== undefined) leash = await holdLeash(file, stopAndExit)
  settings = readDemoSettings(environment, root)
  const { data, ports } = settings
  await requirePorts(settings)
  const llm = await chooseModel()
  await makeFolder(data)
  const api = `http://127.0.0.1:${ports.ingress}`
  await announceDemo(data, { api, issuer: `http://127.0.0.1:${ports.issuer}` })
  // Of its own, so that a build meanwhile takes nothing away from it.
  const build = join(data, 'build')
  const built = bundleFunctions(build)
  if (!environment['DATABASE_URL']) {
    say('Starting Postgres …')
    postgres = startPostgres({ folder: join(data, 'postgres'), port: 0 }).then(keepPostgres)
  }
  const [kept] = await Promise.all([postgres, built])
  const databaseUrl = environment['DATABASE_URL'] || kept?.current.url || ''
  if (stopping !== undefined) return
  platform = startPlatform(
    {
      root,
      data,
      build,
      ports,
      databaseUrl,
      llm,
      servicenow: environment['SERVICENOW_URL']
        ? { url: environment['SERVICENOW_URL'], apiKey: environment['SERVICENOW_API_KEY'] ?? '' }
        : null,
      toolIdentity: makeToolIdentity(),
    },
    { progress: say, signal: starting.signal },
  )
  const { broken } = await platform
  // Ready means that a model call went through, not that a port is open.
  const asked = await probeModel(
    llm ?? { url: `http://127.0.0.1:${ports.model}/v1`, model: localModelName, apiKey: 'none' },
    AbortSignal.any([starting.signal, AbortSignal.timeout(60_000)]),
  )
  if (!asked.ok) throw new Trouble(asked.sentence)
  say(describe(settings, api, llm?.model))
  if (kept === undefined) void watchDatabase(databaseUrl, { say, signal: starting.signal })
  const given = await Promise.race([broken, ...(kept === undefined ? [] : [kept.given])])
  if (given !== '') throw new Trouble(`${given} Everything is stopped; make demo starts it again with its data.`)
}

function keepPostgres(server: RunningPostgres): KeptPart<RunningPostgres> {
  const again = async () => {
    await server.restart()
    return server
  }
  const log = join(server.folder, 'log')
  return keepUp(server, { name: 'Postgres', log, again, say, now: () => performance.now() })
}

async function requirePorts({ ports }: DemoSettings): Promise<void> {
  const remedies: Record<string, string> = { ingress: 'API_PORT', servicenowMock: 'SERVICENOW_PORT' }
  for (const [name, port] of Object.entries(ports)) {
    const why = await whyNotFree(port)
    if (why === null) continue
    const setting = remedies[name] ?? 'DEMO_PORT_BASE'
    const question = why === 'is in use' ? 'is another demo running? Otherwise choose' : 'choose'
    throw new Trouble(`Port ${port} (${name}) ${why}: ${question} another with ${setting}=…`)
  }
}

async function chooseModel(): Promise<{ url: string; model: string; apiKey: string } | null> {
  const url = environment['LLM_URL']
  if (!url) return null
  const llm = { url, model: environment['LLM_MODEL'] ?? '', apiKey: environment['LLM_API_KEY'] ?? 'none' }
  if (llm.model === '') {
    throw new Trouble('LLM_URL is set but LLM_MODEL is not: it is the name of the model to ask there.')
  }
  const probed = await probeModel(llm, AbortSignal.any([starting.signal, AbortSignal.timeout(60_000)]))
  if (!probed.ok) throw new Trouble(probed.sentence)
  return llm
}

async function makeFolder(data: string): Promise<void> {
  try {
    await mkdir(data, { recursive: true })
    await access(data, constants.W_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    const why = code === 'EACCES' || code === 'EPERM' ? 'this account has no permission' : `it cannot be made (${code})`
    throw new Trouble(`The demo cannot keep its data in ${data}: ${why}. Name another folder with DEMO_DATA_DIR=…`, {
      cause: error,
    })
  }
}

function describe({ data, ports }: DemoSettings, api: string, model: string | undefined): string {
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const folder = relative(process.cwd(), data) || data
  const kept = data === join(root, '.data') ? ' (make clean removes it)' : ''
  const shown =
    environment['SERVICENOW_URL'] || `http://127.0.0.1:${ports.servicenowMock}   (a mock; this page lists its tickets)`
  const named =
    model ?? `${localModelName} (a small deterministic program, no language model; set LLM_URL for a real one)`
  return `
Ready in ${seconds} s. Ctrl-C stops everything; the data stays in ${folder}${kept}.

  Chat page       ${api}
  In a terminal   make chat EMAIL=alice.johnson@company.com
  API             ${api}   (its description: ${api}/openapi.json)
  ServiceNow      ${shown}
  Model           ${named}
  Logs            ${join(folder, 'logs')}

  curl ${api}/api/v1/requests \\
    -H "Authorization: Bearer $(make -s token EMAIL=alice.johnson@company.com)" \\
    -H 'Content-Type: application/json' -d '{"content": "I need a new laptop"}'
`
}
