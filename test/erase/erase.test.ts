import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { type ObjectStore, openObjectStore } from '../../shared/attachments/object-store.ts'
import { beginAttachment, finishAttachment } from '../../shared/attachments/rows.ts'
import { offerLink } from '../../shared/channels/link.ts'
import { createWebhook } from '../../shared/channels/webhook/rows.ts'
import { createApiKey } from '../../shared/store/api-keys.ts'
import { noteAudit } from '../../shared/store/audit.ts'
import { decideApproval, findAskedOf } from '../../shared/store/decisions.ts'
import { erasePerson } from '../../shared/store/erase.ts'
import { quiet } from '../pipeline.ts'
import { createWorld, type World } from '../world.ts'
import { findEverywhere, idsOf } from './search.ts'

/**
 * A person who has done all that can be done here is erased, and then looked for in every column of every table and in
 * the bucket: by address, name, what they said and every id that was theirs.
 */
const alice = 'alice.johnson@company.com'
const john = 'john.doe@company.com'
const boss = 'jane.smith@company.com'
/** Nobody else says this. */
const said = 'zebrafinch'
/** Tables in which nothing is about an employee. */
const impersonal = ['knowledge_sources', 'records', 'passages', 'spellings', 'migrations', 'mailboxes']

let world: World
let s3: S3StandIn
let store: ObjectStore
let others: string[]
let tables: string[]
beforeAll(async () => {
  world = await createWorld()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  s3 = await startS3StandIn({ ...credentials, bucket: 'files' })
  store = openObjectStore({ bucket: 'files', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials })
  const { database } = world.db
  for (const email of [john, alice]) await live(email)
  tables = (await database<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'public'`)
    .map(({ name }) => name)
    .filter((name) => !impersonal.includes(name) && name !== 'erasures')
}, 60_000)
afterAll(async () => {
  await store.close()
  await s3.close()
  await world.close()
})

/** Tickets, a policy, a decision that came and one that is waited for, files, dead letters, and things half done. */
async function live(email: string): Promise<void> {
  const { pipeline, db } = world
  const mine = email === alice ? said : 'budgerigar'
  const say = async (...all: string[]) => {
    for (const text of all) await pipeline.say(email, text)
  }
  await say('refresh', 'I would like to see the options', '3', 'proceed', `is there a policy on ${mine}?`)
  for (const decided of [true, false]) {
    await say('reset', 'I need 40 seats of Figma on CC-1234', `we draw a ${mine}`, boss, 'yes')
    if (!decided) continue
    const [asked] = await findAskedOf(db.database, { email: boss, now: pipeline.now(), limit: 1 })
    const by = { email: boss, caller: boss }
    const decision = await db.database.begin((sql) =>
      decideApproval(sql, { id: asked?.id ?? '', decision: 'granted', by, now: pipeline.now() }),
    )
    if (decision?.event) await pipeline.deliver(decision.event)
  }
  // Their conversation with a person: a hand-off that they ended, and one that somebody else did.
  await say('reset', 'talk to a person', `my ${mine} is lost`, 'yes', 'menu')
  await keepFile(email, `${mine}.txt`)
  await writeTo(email)
  // One whose turn is given up, one whose turn hangs, one that has come no further than the door.
  const { event: givenUp } = await pipeline.accept(email, `the ${mine} is broken`)
  const normalized = await pipeline.handlers.normalize(givenUp, quiet)
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  const letter = { ...(step ?? givenUp), knativeerrordest: 'http://agent.x.svc', knativeerrorcode: 422 }
  await pipeline.handlers.keeper({ ...letter, knativeerrordata: Buffer.from(`"${mine}"`).toString('base64') }, quiet)
  const { event: hanging } = await pipeline.accept(email, `where is the ${mine}?`)
  await pipeline.handlers.normalize(hanging, quiet)
  await pipeline.accept(email, `and another ${mine}`)
}

/** An answer that went to a mail thread of this person's, their wish to be answered there, and a webhook of theirs. */
async function writeTo(email: string): Promise<void> {
  const { database } = world.db
  await createWebhook(
    database,
    { subject: email, email },
    { id: randomUUID(), url: 'https://x.example/', now: new Date() },
  )
  const key = `email:${email}`
  const account = `slack:T1/${email}`
  await database`
    insert into identities (identity, person, source) select ${account}, id, 'sign-in' from people where email = ${email}`
  await offerLink(
    { database, now: () => new Date(), randomBytes },
    { identity: account, channel: 'slack', page: 'https://x.example' },
  )
  await noteAudit(database, { actor: email, action: 'identity.linked', subject: account }, new Date())
  await noteAudit(
    database,
    { actor: 'ops', onBehalfOf: email, action: 'preferences.changed', subject: email },
    new Date(),
  )
  const keyOfProgram = { id: randomUUID(), subject: 'api-key:hr', scopes: [], hash: Buffer.alloc(32), createdBy: email }
  const dates = { createdAt: new Date(), expiresAt: new Date(), revokedAt: null, lastUsedAt: null }
  await createApiKey(database, { ...keyOfProgram, ...dates })
  await database`insert into preferences (person, copies, updated_at) select id, '{email}', now() from people where email = ${email}`
  await database`
    insert into feedback (turn, person, good, given_at)
    select t.id, s.person, true, now() from turns t join sessions s on s.id = t.session join people p on p.id = s.person
    where p.email = ${email} limit 1`
  await database`insert into delivery_targets (target, last_used_at) values (${key}, now())`
  await database`
    insert into deliveries (turn, target, channel, thread, person, content, state, created_at)
    select t.id, ${key}, 'email', ${email}, p.id, 'words', 'delivered', now()
    from turns t join sessions s on s.id = t.session join people p on p.id = s.person where p.email = ${email} limit 1`
}

/** A file that came with a message, and one that did not. */
async function keepFile(email: string, name: string): Promise<void> {
  const { pipeline, db } = world
  for (const sent of [true, false]) {
    const id = randomUUID()
    const row = { id, identity: `email:${email}`, caller: email, name, mediaType: 'text/plain', bytes: 5 }
    const { object } = await beginAttachment(db.database, row, pipeline.now())
    const body = async function* () {
      yield Buffer.from('words')
    }
    await store.put(object, body(), { bytes: 5, mediaType: 'text/plain', signal: new AbortController().signal })
    await finishAttachment(db.database, id, Buffer.alloc(32), pipeline.now())
    if (!sent) continue
    const { event } = await pipeline.accept(email, `look at ${name}`)
    await db.database`update attachments set request = ${String(event['correlationid'])} where id = ${id}`
    await pipeline.deliver(event)
  }
}

const words = async (email: string) => [
  ...[email, email.split('@')[0]?.replace('.', ' ') ?? '', ...(email === alice ? [said] : ['budgerigar'])],
  ...(await idsOf(world.db.database, email)),
]

test('nothing of a person is left, in no column of any table and in no object, and others keep what is theirs', async () => {
  const { database } = world.db
  const [mine, johns] = [await words(alice), await words(john)]
  const before = await findEverywhere(database, mine)
  const named = new Set(before.map((place) => place.split('.')[0]))
  expect(
    tables.filter((table) => !named.has(table)),
    'tables in which this person has left nothing',
  ).toEqual([])
  others = await findEverywhere(database, johns)
  expect(s3.keys()).toHaveLength(4)

  const now = new Date(world.pipeline.now().getTime() + 120_000)
  const erased = await erasePerson(database, { email: alice, by: 'ops', now, dry: false, deleteObject: store.delete })
  expect(erased).not.toBeNull()
  expect(await findEverywhere(database, mine)).toEqual([])
  expect(await database`select erased_by from erasures`).toMatchObject([{ erased_by: 'ops' }])
  expect(s3.keys()).toHaveLength(2)
  expect(s3.keys().filter((key) => mine.some((word) => key.includes(word)))).toEqual([])
  expect(await findEverywhere(database, johns)).toEqual(others)
})
