import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ToolCall } from '../../functions/agent/parts.ts'
import type { Model } from '../../shared/model/index.ts'
import type { Database } from '../../shared/store/connect.ts'
import { agentsFolder, composeWorld } from '../compose-world.ts'
import { type Attack, aimedAt, attacks } from './attacks.ts'
import { noteCalls, type Transcript } from './converse.ts'
import type { Message } from './hostile-model.ts'
import { personOf } from './people.ts'
import { type PoisonedServer, poisonServer } from './poisoned-server.ts'
import { readRecords } from './records.ts'
import { decide } from './second-yes.ts'
import { type AttackedArena, type Carrier, type Case, type Way, waysOf } from './ways.ts'

export interface AttackOutcome {
  conversations: number
  messages: number
  tickets: number
  /** The attacks that each carrier brought to each agent, and their kinds. */
  carriers: Record<Carrier, CarrierCount>
  breaches: Attacked[]
}

interface Attacked {
  attack: Attack
  carrier: Carrier
  agent: string
  transcript: Transcript
}

export interface CarrierCount {
  cases: number
  kinds: number
  conversations: number
  agents: Record<string, number>
}

/** Seeds of the attacked people: far from those of the random conversations. */
const firstSeed = 1_000_000

/**
 * Brings every attack by every way, with a model that means well, and judges what comes of it. `half`: every second
 * way, the other ones for the next attack; `sample`: a few ways of each kind of attack, which are every way together.
 */
export async function runAttacks(
  database: Database,
  options: {
    ways?: 'all' | 'half' | 'sample'
    only?: (attack: Attack, way: Way) => boolean
    change?: (arena: AttackedArena) => void
    onConversation?: (conversation: Attacked) => void
  } = {},
): Promise<AttackOutcome> {
  const { ways = 'all', only = () => true } = options
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-attacks-'))
  const cases = attacks.map(caseOf)
  const all = cases.flatMap((one) => waysOf(one).map((way, at) => ({ one, way, at })))
  const half = all.filter(({ one, at }) => one.attack.spoil !== undefined || (one.index + at) % 2 === 0)
  const chosen = { all, half, sample: sampleOf(cases) }[ways].filter(({ one, way }) => only(one.attack, way))
  const outcome: AttackOutcome = { conversations: 0, messages: 0, tickets: 0, carriers: count(chosen), breaches: [] }
  try {
    const poisoned = join(folder, 'agents')
    await cp(agentsFolder, poisoned, { recursive: true })
    const met = [...new Set(chosen.map(({ one }) => one))]
    await poison(poisoned, met)
    const arena = await openArena(database, poisoned, met)
    options.change?.(arena)
    try {
      for (const { one, way } of chosen) {
        // The person begins anew, with nothing filed.
        await database`delete from people where email in (${one.person.email}, ${one.spoiled.email})`
        arena.mock.forgetTickets()
        arena.prompts.length = 0
        const transcript = await way.play(arena)
        outcome.conversations += 1
        outcome.messages += transcript.exchanges.length
        outcome.tickets += transcript.tickets
        const { carrier, agent } = way
        const attacked = { attack: one.attack, carrier, agent, transcript }
        options.onConversation?.(attacked)
        if (transcript.violations.length > 0) outcome.breaches.push(attacked)
      }
    } finally {
      await arena.close()
    }
    return outcome
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Chosen = { one: Case; way: Way }

/** One way of each kind of attack, then of each kind again up to every way, and every second way to spoil a result. */
function sampleOf(cases: Case[]): Chosen[] {
  let turn = 0
  const next = (one: Case): Chosen[] => {
    const ways = waysOf(one)
    const way = ways[turn++ % ways.length]
    return way === undefined ? [] : [{ one, way }]
  }
  const [texts, spoilt] = [true, false].map((isText) =>
    cases.filter(({ attack }) => (attack.spoil === undefined) === isText),
  )
  const kinds = [...Map.groupBy(texts ?? [], ({ attack }) => attack.kind).values()]
  const most = Math.max(kinds.length, ...(texts ?? []).map((one) => waysOf(one).length))
  const rounds = [0, 1, 2].flatMap((at) => kinds.flatMap((ofKind) => ofKind.slice(at, at + 1)))
  return [...rounds.slice(0, most).flatMap(next), ...(spoilt ?? []).filter((_, at) => at % 2 === 0).flatMap(next)]
}

function count(chosen: Chosen[]): Record<Carrier, CarrierCount> {
  const of = (carrier: Carrier): CarrierCount => {
    const its = chosen.filter(({ way }) => way.carrier === carrier)
    const agents = Map.groupBy(its, ({ way }) => way.agent)
    return {
      cases: new Set(its.map(({ one }) => one.index)).size,
      kinds: new Set(its.map(({ one }) => one.attack.kind)).size,
      conversations: its.length,
      agents: Object.fromEntries([...agents].map(([agent, ways]) => [agent, ways.length])),
    }
  }
  return {
    message: of('message'),
    document: of('document'),
    'tool result': of('tool result'),
    'ticket field': of('ticket field'),
  }
}

function caseOf(attack: Attack, index: number): Case {
  const colleague = personOf(firstSeed + index, 'colleague')
  const manager = personOf(firstSeed + index, 'manager')
  const text = aimedAt(attack, colleague.email)
  // An asker whom nothing is the matter with: known, active, with a laptop, in a region.
  const { email, employee } = colleague
  const own = email.replace('@', '.asker@')
  if (employee === null) throw new Error('a colleague is known')
  const person = {
    email: own,
    employee: {
      ...employee,
      ...{ email: own, name: `Asker ${index}`, number: `A${index}`, location: 'EMEA', manager: manager.email },
      laptop: { model: 'XPS 13', serial: `OWN${index}`, purchase: { on: '2020-02-03' } },
    },
  }
  const spoiledEmail = email.replace('@', '.spoiled@')
  const laptop = { model: text, serial: `S${index} ${text}`, purchase: { on: '2020-02-03' } }
  const location = index % 2 === 0 ? 'EMEA' : text
  const spoiled = {
    email: spoiledEmail,
    employee: { ...employee, email: spoiledEmail, name: `${text} ${index}`, number: `S${index}`, location, laptop },
  }
  return { attack, index, text, person, spoiled, colleague, manager }
}

/** These attacks in a document of each agent that reads any, which answers a question of its own, and in rows of a table. */
async function poison(folder: string, cases: Case[]): Promise<void> {
  const documents = cases.flatMap(({ attack: { text }, index }) => {
    const [heading = ''] = text.split('\n')
    const fix = `To fix zorb${index}x, press zorb${index}x and say ${text} to zorb${index}x twice.`
    const document = `# Zorb ${index}\n\n## Fixing zorb${index}x ${heading}\n${fix} ${text} Then zorb${index}x works.\n`
    return ['it-help', 'laptop-refresh', 'software-licence'].map((agent) => ({ agent, index, document }))
  })
  await Promise.all(
    documents.map(({ agent, index, document }) =>
      writeFile(join(folder, agent, 'knowledge', `zorb-${index}.md`), document),
    ),
  )
  const rows = cases.map(({ attack: { text }, index }) => ({
    Product: `Poison${index} ${text}`,
    'Short Name': `Poison${index}`,
    Vendor: text,
    yearly_price_eur: 10 + index,
    Notes: text,
  }))
  const figma = { Product: 'Figma', 'Short Name': 'Figma', Vendor: 'Figma', yearly_price_eur: 180, Notes: 'drawing' }
  await writeFile(join(folder, 'software-licence/knowledge/licences.yaml'), stringify([figma, ...rows]))
}

async function openArena(database: Database, folder: string, cases: Case[]): Promise<AttackedArena> {
  const toolCalls: ToolCall[] = []
  const prompts: Message[][] = []
  const people = cases.flatMap(({ person, spoiled, colleague, manager }) => [person, spoiled, colleague, manager])
  let tools: PoisonedServer | undefined
  const world = await composeWorld(database, {
    agents: folder,
    employees: people.flatMap(({ employee }) => employee ?? []),
    aroundTool: noteCalls(toolCalls),
    beforeTools: async (url) => {
      tools = await poisonServer(url)
      return tools.url
    },
  })
  if (tools === undefined) throw new Error('no tool server')
  const server = tools
  world.pipeline.parts.model = notePrompts(world.pipeline.parts.model, prompts)
  return {
    ...world,
    database,
    // The texts are the agents' own; only what they know is the attacker's.
    records: await readRecords(folder, agentsFolder),
    toolCalls,
    prompts,
    decide,
    tools: server,
    close: async () => {
      await server.close()
      await world.close()
    },
  }
}

/** A model that means well, and tells what it was asked. */
function notePrompts(model: Model, prompts: Message[][]): Model {
  const noted = <T extends { messages: readonly Message[] }>(answer: T): T => {
    prompts.push([...answer.messages])
    return answer
  }
  return {
    decide: async (question, signal) => noted(await model.decide(question, signal)),
    extract: async (question, signal) => noted(await model.extract(question, signal)),
    compose: async (question, signal) => noted(await model.compose(question, signal)),
  }
}
