import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** By what way the functions reach Postgres. */
export type Way = 'postgres' | 'pgbouncer'

/** closed: each session waits for its answers. open: messages come at their own times. restarts: open, and Postgres crashes. */
export type Phase = 'closed' | 'open' | 'restarts'

export interface Settings {
  sessions: number
  /** Messages of each session. */
  messages: number
  /** Instances of each function. */
  instances: number
  /** Messages a second, of all sessions together, where they come at their own times. */
  rate: number
  /** Seconds that the model holds one person's question. */
  hold: number
  /** Times that Postgres crashes in the phase of that name. */
  restarts: number
  ways: Way[]
  phases: Phase[]
  /** A server of one's own, where a database may be made; null: one is started. */
  databaseUrl: string | null
  /** Shell command that crashes and restarts that server. */
  restartCommand: string | null
  /** Where the result goes, as JSON. */
  report: string
}

const ways = ['postgres', 'pgbouncer'] as const
const phases = ['closed', 'open', 'restarts'] as const

export const usage = `Usage: make load ARGS="…"

Many conversations at once, on several instances of each function, with a real Postgres and the development broker.
Fails unless every message is answered once, each session in order and one turn at a time, nobody starves while the
model holds one person's question, and no instance has more than 2 connections.

  --sessions 200      conversations
  --messages 20       messages of each in the phase "open", and a quarter of them in the two others
  --instances 4       instances of each function
  --rate 40           messages a second, of all together, where they come at their own times
  --hold 30           seconds that the model holds one person's question
  --restarts 3        crashes of Postgres in the phase "restarts"
  --ways LIST         how the functions reach Postgres: ${ways.join(',')} (the default: both where PgBouncer is installed)
  --phases LIST       ${phases.join(',')} (the default: all)
  --database URL      a server of yours, where a database is made and dropped; without it one is started
  --restart COMMAND   how that server is crashed and restarted
  --report FILE       reports/load.json
  --help`

/**
 * Reads the command line; null where it asks for help.
 * @throws Error whose one sentence names the option at fault
 */
export function readSettings(argv: string[], root: string, hasPgBouncer: boolean): Settings | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: argv,
    options: {
      sessions: text,
      messages: text,
      instances: text,
      rate: text,
      hold: text,
      restarts: text,
      ways: text,
      phases: text,
      database: text,
      restart: text,
      report: text,
      help: { type: 'boolean' },
    },
  })
  if (values.help) return null
  const settings: Settings = {
    sessions: whole('sessions', values.sessions, 200, 1),
    messages: whole('messages', values.messages, 20, 1),
    instances: whole('instances', values.instances, 4, 1),
    rate: whole('rate', values.rate, 40, 1),
    hold: whole('hold', values.hold, 30, 1),
    restarts: whole('restarts', values.restarts, 3, 0),
    ways: list('ways', values.ways, ways, hasPgBouncer ? ways : ['postgres']),
    phases: list('phases', values.phases, phases, phases),
    databaseUrl: values.database ?? null,
    restartCommand: values.restart ?? null,
    report: values.report ?? join(root, 'reports/load.json'),
  }
  if (settings.ways.includes('pgbouncer') && !hasPgBouncer) {
    throw new Error('PgBouncer was not found: install it (apt-get install pgbouncer), or say --ways postgres.')
  }
  const crashes = settings.phases.includes('restarts') && settings.restarts > 0
  if (crashes && settings.databaseUrl !== null && settings.restartCommand === null) {
    throw new Error('--database needs --restart, the command that crashes and restarts that server, or --restarts 0.')
  }
  return settings
}

function whole(name: string, given: string | undefined, otherwise: number, least: number): number {
  const value = given === undefined ? otherwise : Number(given)
  if (Number.isInteger(value) && value >= least && value <= 100_000) return value
  throw new Error(`--${name} takes a whole number from ${least} to 100000, not "${given}".`)
}

function list<T extends string>(name: string, given: string | undefined, known: readonly T[], otherwise: readonly T[]) {
  const chosen = given === undefined ? otherwise : known.filter((one) => given.split(',').includes(one))
  if (given !== undefined && chosen.length !== given.split(',').length) {
    throw new Error(`--${name} takes ${known.join(',')} or some of them, not "${given}".`)
  }
  return [...chosen]
}
