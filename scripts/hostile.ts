import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeMachine } from '../evaluations/report.ts'
import { withDatabase } from '../local/postgres/with-database.ts'
import type { Database } from '../shared/store/connect.ts'
import { attacks } from '../test/hostile/attacks.ts'
import { type Breach, describeBreach, leadingUpTo, runConversations } from '../test/hostile/run.ts'
import { runAttacks } from '../test/hostile/run-attacks.ts'
import { readCommand } from './command-line/read-command.ts'

/** Lets a hostile model, and hostile text, at the whole system, and fails where either makes it lie or act. */
const usage = `Usage: scripts/hostile.ts [--conversations 1000] [--first 1] [--seed N] [--every-way]

Runs seeded random conversations with a model server that lies, invents, floods, loops and breaks, then every attack of
the set by half of its ways (a carrier to an agent) with a model that means well, and holds each answer, each ticket,
each decision of a second person, each call of a tool and each prompt against the records. Prints the seed and the
shortest transcript of what broke the law, writes reports/hostile.json, and ends with 1 where anything did.

--conversations N   how many (default 1000); their seeds follow each other
--first N           the first seed (default 1)
--seed N            this one conversation told in full, after those that come before it in its system; no report
--every-way         attacks by every way, not by every second one
`

const root = join(import.meta.dirname, '..')
const command = readCommand(usage, { flags: ['every-way'], valued: ['conversations', 'first', 'seed'] })
const one = number('seed')
process.exitCode = await withDatabase('hostile', (database) =>
  one === null ? runAll(database, number('first') ?? 1, number('conversations') ?? 1_000) : runOne(database, one),
)

/** The number given for an option; null where it was not given. */
function number(name: string): number | null {
  const text = command.values(name).at(-1)
  if (text === undefined) return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  process.stderr.write(`--${name} takes a whole number.\n`)
  process.exit(1)
}

async function runOne(database: Database, seed: number): Promise<number> {
  let isBroken = false
  await runConversations(database, leadingUpTo(seed), {
    mostBreaches: Number.POSITIVE_INFINITY,
    onConversation: (of, transcript) => of === seed && console.log(describeBreach({ seed, transcript })),
    onBreach: (breach) => {
      if (breach.seed !== seed) return
      isBroken = true
      console.log(`\nshortest:\n${describeBreach(breach)}`)
    },
  })
  return isBroken ? 1 : 0
}

async function runAll(database: Database, first: number, count: number): Promise<number> {
  const started = performance.now()
  const seeds = Array.from({ length: count }, (_, index) => first + index)
  const tell = (breach: Breach) => console.log(`\n${describeBreach(breach)}\n`)
  const random = await runConversations(database, seeds, {
    onBreach: tell,
    onBatch: (done) => console.log(`${done} of ${count} conversations, ${seconds(started)} s`),
  })
  const text = await runAttacks(database, {
    ways: command.has('every-way') ? 'all' : 'half',
    onConversation: ({ attack, carrier, agent, transcript }) => {
      if (transcript.violations.length === 0) return
      console.log(`\n${attack.kind}, in a ${carrier}, at ${agent}: ${JSON.stringify(attack.text)}`)
      tell({ seed: 0, transcript })
    },
  })
  const violations = random.breaches.length + text.breaches.length
  const report = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    conversations: random.conversations,
    violations,
    seeds: { first, last: first + count - 1, violating: random.breaches.map(({ seed }) => seed) },
    messages: random.messages,
    tickets: random.tickets,
    second_person_decisions: random.decisions,
    model_answers: random.answers,
    hostile_text: {
      attacks: attacks.length,
      kinds: new Set(attacks.map(({ kind }) => kind)).size,
      conversations: text.conversations,
      messages: text.messages,
      tickets: text.tickets,
      violations: text.breaches.length,
      carriers: text.carriers,
    },
    seconds: seconds(started),
  }
  await mkdir(join(root, 'reports'), { recursive: true })
  await writeFile(join(root, 'reports/hostile.json'), `${JSON.stringify(report, null, 2)}\n`)
  const { tried, counted } = random.decisions
  const rows = [
    ['date', report.date],
    ['machine', report.machine],
    ['hostile model', `${random.conversations} conversations, ${random.messages} messages, ${random.tickets} tickets`],
    ['its answers', `${total(random.answers)}, of them honest ${random.answers['honest'] ?? 0}`],
    ['second yeses', `${tried} attempts to decide, ${counted} of them by the right person, in time and once`],
    [
      'hostile text',
      `${attacks.length} attacks of ${report.hostile_text.kinds} kinds, ${text.conversations} conversations`,
    ],
    ...Object.entries(text.carriers).map(([carrier, its]) => [
      `  ${carrier}`,
      `${its.cases} attacks of ${its.kinds} kinds, ${its.conversations} conversations`,
    ]),
    ['violations', String(violations)],
    ['time', `${report.seconds} s`],
  ]
  console.log(`\n${rows.map(([name = '', value]) => `${name.padEnd(15)}${value}`).join('\n')}`)
  return violations === 0 ? 0 : 1
}

function total(answers: Record<string, number>): number {
  return Object.values(answers).reduce((sum, count) => sum + count, 0)
}

function seconds(started: number): number {
  return Math.round((performance.now() - started) / 1_000)
}
