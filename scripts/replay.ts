import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Replay, replayTurn } from '../functions/agent/replay/replay-turn.ts'
import { traceOf } from '../functions/agent/replay/trace.ts'
import { tracesOf } from '../local/postgres/place.ts'
import { runningIn } from '../local/postgres/processes.ts'
import { startPostgres } from '../local/postgres/start.ts'
import { Fault } from '../shared/errors/fault.ts'
import { toFault } from '../shared/errors/to-fault.ts'
import { loadAgents } from '../shared/flow/index.ts'
import { connect } from '../shared/store/connect.ts'
import { findFinishedTurns, findRecordedTurn, type RecordedTurn } from '../shared/store/recorded-turn.ts'
import { plainText } from './chat/plain-text.ts'

const root = join(import.meta.dirname, '..')
const help = `Runs finished turns again from their journal, without network, model or tools, and holds every step and the
answer against what is stored.

  make replay TURN=<id>            one turn
  make replay SESSION=<id>         every finished turn of a conversation
  npm run replay -- --turn <id> --json

  --turn <id>       the turn (may be given more than once); --session shows a conversation's turns
  --session <id>    the conversation
  --json            one JSON object instead of a trace
  --help            this

DATABASE_URL names the database, else it is the demo's, running or not (DEMO_DATA_DIR, default .data); it is only read.
AGENTS_DIR names the agents (default agents).

Exit code: 0 as recorded, 1 something differs, 2 nothing can be said: no such turn, not finished, no journal, or an
agent's file has changed since.`

/** Nothing can be said, and why; everything else that is thrown is a defect. */
class Trouble extends Error {}

interface Database {
  url: string
  stop(): Promise<void>
}

async function main(): Promise<number> {
  const { values } = readArguments()
  if (values.help) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  const wanted = { turns: values.turn ?? [], session: values.session }
  if (wanted.turns.length === 0 && wanted.session === undefined)
    throw new Trouble(`Say which turn: TURN=<id>\n\n${help}`)
  for (const id of [...wanted.turns, ...(wanted.session === undefined ? [] : [wanted.session])]) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
      throw new Trouble(`${id} is no id of a turn or session`)
  }
  const agents = await loadAgents(process.env['AGENTS_DIR'] || join(root, 'agents'))
  const replays: Replay[] = []
  for (const recorded of await readTurns(wanted)) replays.push(await replayTurn(recorded, agents))

  process.stdout.write(
    values.json ? `${JSON.stringify(replays.map(toJson), null, 2)}\n` : `${replays.map(print).join('\n\n')}\n`,
  )
  if (!values.json && replays.length > 1) process.stdout.write(`\n${summary(replays)}\n`)
  return exitCode(replays)
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        turn: { type: 'string', multiple: true },
        session: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new Trouble(`${error instanceof Error ? error.message : error}\n\n${help}`)
  }
}

/** Reads the turns in one read-only transaction; nothing is read after it. */
async function readTurns(wanted: { turns: string[]; session: string | undefined }): Promise<RecordedTurn[]> {
  const source = await findDatabase()
  try {
    const database = connect(source.url, { max: 1, name: 'replay' })
    try {
      const found = await database.begin('isolation level repeatable read read only', async (sql) => {
        const { turns, session } = wanted
        const ids = [...turns, ...(session === undefined ? [] : await findFinishedTurns(sql, session))]
        if (ids.length === 0) throw new Trouble(`There is no finished turn in session ${session}`)
        const read: RecordedTurn[] = []
        for (const id of ids) {
          const turn = await findRecordedTurn(sql, id)
          if (turn === null) throw new Trouble(`There is no turn ${id} in this database`)
          read.push(turn)
        }
        return read
      })
      return found
    } finally {
      await database.end({ timeout: 5 })
    }
  } finally {
    await source.stop()
  }
}

/** The database that DATABASE_URL names; else the demo's, which is started for the while where the demo is not up. */
async function findDatabase(): Promise<Database> {
  const named = process.env['DATABASE_URL']
  if (named) return { url: named, stop: async () => {} }
  const folder = join(process.env['DEMO_DATA_DIR'] || join(root, '.data'), 'postgres')
  for (const home of tracesOf(folder).homes) {
    const password = await readFile(join(home, 'password'), 'utf8').catch(() => null)
    if (password === null) continue
    const data = join(home, 'data')
    if ((await runningIn(data)) === null) return startPostgres({ folder, port: 0 })
    // The fourth line is the port (PostgreSQL documentation, "Database File Layout").
    const port = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[3]
    return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop: async () => {} }
  }
  throw new Trouble('There is no demo here yet, so there are no turns: make demo, or name a database with DATABASE_URL')
}

function print(replay: Replay): string {
  return plainText(traceOf(replay))
}

function summary(replays: Replay[]): string {
  const of = (verdict: Replay['verdict']) => replays.filter((replay) => replay.verdict === verdict).length
  return `${replays.length} turns: ${of('exact')} as recorded, ${of('differs')} differ, ${of('unable')} cannot be replayed`
}

function exitCode(replays: Replay[]): number {
  if (replays.some(({ verdict }) => verdict === 'differs')) return 1
  return replays.some(({ verdict }) => verdict === 'unable') ? 2 : 0
}

function toJson({ recorded, verdict, sentence, differences, steps }: Replay) {
  const { turn } = recorded
  return {
    turn: turn.id,
    session: turn.session,
    state: turn.state,
    verdict,
    sentence,
    differences,
    steps: steps.map(({ recorded: step, walked }) => ({
      number: step.number,
      agent: step.agent,
      name: step.name,
      kind: step.kind,
      asked: step.request,
      answered: step.answer,
      input_tokens: step.inputTokens,
      output_tokens: step.outputTokens,
      milliseconds: step.finishedAt.getTime() - step.startedAt.getTime(),
      approval: step.approval,
      reads: walked?.reads ?? null,
      said: walked?.said ?? null,
      approvals: walked?.approvals ?? null,
      move: walked?.move ?? null,
      flow: walked?.flow ?? null,
    })),
  }
}

if (import.meta.main) {
  main().then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      const known = error instanceof Trouble || Fault.is(error) ? error : toFault(error)
      process.stderr.write(`${plainText(known.message)}\n`)
      process.exitCode = 2
    },
  )
}
