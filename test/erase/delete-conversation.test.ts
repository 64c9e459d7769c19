import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { type ObjectStore, openObjectStore } from '../../shared/attachments/object-store.ts'
import { beginAttachment, finishAttachment } from '../../shared/attachments/rows.ts'
import { noteAudit } from '../../shared/store/audit.ts'
import { decideApproval, findAskedOf } from '../../shared/store/decisions.ts'
import { deleteConversation } from '../../shared/store/delete-conversation.ts'
import { quiet } from '../pipeline.ts'
import { createWorld, type World } from '../world.ts'
import { findEverywhere } from './search.ts'

/** One of two conversations of a person is deleted, and then looked for in every column of every table and in the bucket. */
const alice = 'alice.johnson@company.com'
const boss = 'jane.smith@company.com'
const said = 'zebrafinch'

let world: World
let s3: S3StandIn
let store: ObjectStore
beforeEach(async () => {
  world = await createWorld({ callsPerson: true })
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  s3 = await startS3StandIn({ ...credentials, bucket: 'files' })
  store = openObjectStore({ bucket: 'files', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials })
})
afterEach(async () => {
  await store.close()
  await s3.close()
  await world.close()
})

const say = async (...all: string[]) => {
  for (const text of all) await world.pipeline.say(alice, text)
}
const sessions = async () =>
  (await world.db.database<{ id: string }[]>`select id from sessions order by created_at, id`).map(({ id }) => id)
const remove = (id: string, deleteObject = store.delete) =>
  deleteConversation(world.db.database, {
    ...{ id, now: new Date(world.pipeline.now().getTime() + 180_000), deleteObject },
    note: (sql) => noteAudit(sql, { actor: 'ops', action: 'conversation.deleted', subject: id }, world.pipeline.now()),
  })

/** The conversation is over, and the next message begins another. */
async function begin(): Promise<string> {
  await world.db.database`update sessions set state = 'closed' where state = 'open'`
  world.pipeline.pass(60_000)
  await say('hello')
  return (await world.db.database<{ id: string }[]>`select id from sessions where state = 'open'`)[0]?.id ?? ''
}

async function keepFile(word: string): Promise<void> {
  const { pipeline, db } = world
  const id = randomUUID()
  const row = { id, identity: `email:${alice}`, caller: alice, name: `${word}.txt`, mediaType: 'text/plain', bytes: 5 }
  const { object } = await beginAttachment(db.database, row, pipeline.now())
  const body = async function* () {
    yield Buffer.from('words')
  }
  await store.put(object, body(), { bytes: 5, mediaType: 'text/plain', signal: new AbortController().signal })
  await finishAttachment(db.database, id, Buffer.alloc(32), pipeline.now())
  const { event } = await pipeline.accept(alice, `look at ${word}`)
  await db.database`update attachments set request = ${String(event['correlationid'])} where id = ${id}`
  await pipeline.deliver(event)
}

/** All that a conversation can have: a ticket, a decision, a file, a turn that was given up, a person who took over. */
async function live(word: string): Promise<void> {
  const { pipeline, db } = world
  await say('refresh', 'I would like to see the options', '3', 'proceed')
  await say('reset', 'I need 40 seats of Figma on CC-1234', `we draw a ${word}`, boss, 'yes')
  const [asked] = await findAskedOf(db.database, { email: boss, now: pipeline.now(), limit: 1 })
  const by = { email: boss, caller: boss }
  const decision = await db.database.begin((sql) =>
    decideApproval(sql, { id: asked?.id ?? '', decision: 'granted', by, now: pipeline.now() }),
  )
  if (decision?.event) await pipeline.deliver(decision.event)
  await keepFile(word)
  const { event } = await pipeline.accept(alice, `the ${word} is broken`)
  const normalized = await pipeline.handlers.normalize(event, quiet)
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  const failure = { knativeerrordest: 'http://agent.x.svc', knativeerrorcode: 422 }
  await pipeline.handlers.keeper(
    { ...(step ?? event), ...failure, knativeerrordata: Buffer.from(`"${word}"`).toString('base64') },
    quiet,
  )
  await pipeline.deliver()
  await say('menu')
}

async function idsIn(session: string): Promise<string[]> {
  const rows = await world.db.database<{ id: string }[]>`
    select ${session}::uuid as id union all select id from turns where session = ${session}
    union all select id from requests where session = ${session}
    union all select id from approvals where session = ${session}
    union all select id from handoffs where session = ${session}
    union all select a.id from attachments a join requests r on r.id = a.request where r.session = ${session}
    union all select id from dead_letters where session = ${session}`
  return rows.map(({ id }) => id)
}

test('nothing of it is left but what the audit trail says, and the other conversation is whole', async () => {
  const { database } = world.db
  const first = await begin()
  await live(said)
  const second = await begin()
  await live('budgerigar')
  const [mine, others] = [
    [said, ...(await idsIn(first))],
    ['budgerigar', ...(await idsIn(second))],
  ]
  expect(mine.length).toBeGreaterThan(20)
  const found = new Set((await findEverywhere(database, mine)).map((place) => place.split('.')[0]))
  const tables = ['approvals', 'attachments', 'dead_letters', 'deliveries', 'handoffs', 'inbox', 'messages', 'requests']
  expect([...found]).toEqual(expect.arrayContaining([...tables, 'sessions', 'steps', 'tool_calls', 'turns', 'writes']))
  const before = await findEverywhere(database, others)
  expect(s3.keys()).toHaveLength(2)

  expect(await remove(first)).toEqual({ kind: 'deleted' })
  const left = await findEverywhere(database, mine)
  expect(left.map((place) => place.split(':')[0])).toEqual(['audit.subject'])
  expect(await database`select 1 from audit where subject = ${first} and action = 'conversation.deleted'`).toHaveLength(
    1,
  )
  expect(s3.keys()).toHaveLength(1)
  expect(await findEverywhere(database, others)).toEqual(before)
  expect(await sessions()).toEqual([second])
  expect(await remove(first)).toEqual({ kind: 'not-found' })
})

test('a run that was broken off is gone on with by the next, and noted once', async () => {
  const first = await begin()
  await live(said)
  const broken = () => Promise.reject(new Error('the store is away'))
  await expect(remove(first, broken)).rejects.toThrow('the store is away')
  expect(await sessions()).toEqual([first])
  expect(await remove(first)).toEqual({ kind: 'deleted' })
  expect(await world.db.database`select 1 from audit where action = 'conversation.deleted'`).toHaveLength(1)
})

test('it waits for whatever is under way', async () => {
  const first = await begin()
  await say('reset', 'I need 40 seats of Figma on CC-1234', 'we draw', boss, 'yes')
  expect(await remove(first)).toMatchObject({ kind: 'hindered', why: expect.stringContaining('asked for a decision') })
  const { event } = await world.pipeline.accept(alice, 'hello')
  await world.pipeline.handlers.normalize(event, quiet)
  expect(await remove(first)).toMatchObject({ kind: 'hindered', why: expect.stringContaining('being answered') })
  await world.pipeline.deliver(event)
  // A later conversation has the decision.
  await world.db.database`update sessions set turn = null, pending_event = null`
  await world.db.database`update messages set state = 'done'`
  const second = await begin()
  const [asked] = await findAskedOf(world.db.database, { email: boss, now: world.pipeline.now(), limit: 1 })
  const decision = await world.db.database.begin((sql) =>
    decideApproval(sql, {
      id: asked?.id ?? '',
      decision: 'granted',
      by: { email: boss, caller: boss },
      now: world.pipeline.now(),
    }),
  )
  if (decision?.event) await world.pipeline.deliver(decision.event)
  expect(await remove(first)).toMatchObject({ kind: 'hindered', why: expect.stringContaining('later conversation') })
  expect(await remove(second)).toEqual({ kind: 'deleted' })
  expect(await remove(first)).toEqual({ kind: 'deleted' })
})
