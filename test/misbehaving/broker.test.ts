import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, type Database } from '../../shared/store/connect.ts'
import { createPipeline, type Pipeline } from '../pipeline.ts'
import { createWorld, type World } from '../world.ts'
import { createHostileBroker, type Figures, type Mischief } from './hostile-broker.ts'
import { findBrokenAtRest, forgetConversations, isSettled, readTranscripts, type Transcript } from './judge.ts'

/**
 * The laptop conversation, from greeting to ticket, over a broker that misbehaves: the same answers in the same order as
 * over one that does not, and one ticket for each yes. SEED=… repeats what a failure names.
 */
const words = ['hello', 'refresh', 'I would like to see the options', '3', 'proceed', 'thanks']
const people = ['alice.johnson', 'oliver.smith', 'yuki.tanaka'].map((name) => `${name}@company.com`)
const seeds = process.env['SEED'] === undefined ? [1, 2] : [Number(process.env['SEED'])]
const kinds: Record<string, Mischief> = {
  'duplicates at once': { duplicate: 0.5 },
  'duplicates hours later': { later: 0.4 },
  'reorders and delays': { lateMs: 150_000 },
  'loses what it accepted': { lose: 0.15 },
  'delivers to two instances at once': { twice: 0.6 },
  'loses replies after the commit': { loseReply: 0.4 },
  'all of it together': { duplicate: 0.2, later: 0.15, lateMs: 20_000, lose: 0.08, twice: 0.3, loseReply: 0.2 },
}

let world: World
let instances: Pipeline[]
let pools: Database[]
let expected: Record<string, Transcript>

beforeAll(async () => {
  world = await createWorld()
  pools = ['one', 'two'].map((name) => connect(world.db.url, { max: 2, name }))
  for (const person of people) for (const text of words) await world.pipeline.say(person, text)
  expected = await transcripts()
  for (const person of people) expect(expected[person]).toHaveLength(words.length)
  await forget()
})
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })))
  await world.close()
})
beforeEach(() => {
  // Anew, so that a test gives its events the same ids alone as it does after others.
  const { agents, model, callTool } = world.pipeline.parts
  instances = pools.map((pool) => createPipeline(pool, { agents, model, callTool }, world.pipeline.now()))
})
afterEach(() => forget())

describe.each(seeds)('with seed %d', (seed) => {
  test.each(Object.keys(kinds))('%s: a conversation in which each answer is waited for', async (kind) => {
    const broker = brokerOf(kind, seed)
    const left = [...words]
    const figures = await broker.run(async () => {
      const text = left.shift()
      return text === undefined ? [] : [await acceptFor(people[0], text)]
    })
    await judge(kind, seed, people.slice(0, 1))
    expectNoRepair(kind, seed, figures)
  })

  test.each(Object.keys(kinds))('%s: queues of three people at once', async (kind) => {
    const broker = brokerOf(kind, seed)
    for (const text of words) for (const person of people) broker.publish(await acceptFor(person, text))
    const figures = await broker.run()
    await judge(kind, seed, people)
    expectNoRepair(kind, seed, figures)
    const done = { ...figures, late: kinds[kind]?.lateMs ?? 0, twice: kinds[kind]?.twice ?? 0 }
    const mischief = done.duplicates + done.lost + done.repliesLost + done.late + done.twice
    expect(mischief, `seed ${seed}: the broker behaved`).toBeGreaterThan(0)
  })
})

function brokerOf(kind: string, seed: number) {
  const settled = () => isSettled(world.db.database)
  return createHostileBroker({
    seed,
    instances,
    clocks: [world.pipeline],
    mischief: kinds[kind] ?? {},
    settled,
    sharedTtl: true,
  })
}

/** What is neither lost nor late goes on by itself: no tick may have to help. */
function expectNoRepair(kind: string, seed: number, { republished }: Figures): void {
  const { lose, lateMs } = kinds[kind] ?? {}
  if (lose === undefined && lateMs === undefined) expect(republished, `${kind}, seed ${seed}`).toBe(0)
}

async function acceptFor(person: string | undefined, text: string) {
  const [first] = instances
  if (first === undefined || person === undefined) throw new Error('nobody to accept for')
  return (await first.accept(person, text)).event
}

async function judge(kind: string, seed: number, spoken: string[]): Promise<void> {
  const failed = `${kind}, seed ${seed}`
  const found = await transcripts()
  expect(await findBrokenAtRest(world.db.database), failed).toEqual([])
  expect(found, failed).toEqual(Object.fromEntries(spoken.map((person) => [person, expected[person]])))
  const tickets = world.mock.tickets().map((ticket) => ticket.correlation_id)
  const approved = await world.db.database<{ id: string }[]>`select id from approvals where state = 'used'`
  expect(tickets.sort(), failed).toEqual(approved.map(({ id }) => id).sort())
  expect(tickets, failed).toHaveLength(spoken.length)
  const writes = await world.db.database<{ state: string }[]>`select state from tool_calls where approval is not null`
  expect(writes, failed).toEqual(spoken.map(() => ({ state: 'done' })))
}

/** Ticket numbers are the order in which ServiceNow got them, which is not promised. */
async function transcripts(): Promise<Record<string, Transcript>> {
  const found = await readTranscripts(world.db.database)
  const same = (text: string) => text.replaceAll(/REQ\d+/g, 'REQ…')
  return Object.fromEntries(
    Object.entries(found).map(([email, lines]) => [email, lines.map(([said, answer]) => [said, same(answer)])]),
  )
}

async function forget(): Promise<void> {
  world.mock.forgetTickets()
  await forgetConversations(world.db.database)
}
