import { afterEach, beforeEach, expect, test } from 'vitest'
import { listAudit } from '../shared/store/audit.ts'
import { decideApproval, findAskedOf } from '../shared/store/decisions.ts'
import { createWorld, type World } from './world.ts'

/** Who did what on whose behalf, as the conversations that did it write it down. */
const alice = 'alice.johnson@company.com'
const boss = 'jane.smith@company.com'
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const say = async (...all: string[]) => {
  for (const text of all) await world.pipeline.say(alice, text)
}
const everything = { actor: null, onBehalfOf: null, action: null, subject: null, from: null, to: null }
const trail = async () =>
  (await listAudit(world.db.database, everything, { after: null, limit: 50 }))
    .reverse()
    .map(({ actor, onBehalfOf, action, detail }) => [action, actor, onBehalfOf, detail['tool'] ?? null])

test('a yes, a no, a second yes and the tickets that came of them', async () => {
  await say('refresh', 'I would like to see the options', '3', 'proceed')
  await say('talk to a person', 'my badge is blue', 'no')
  await say('I need 40 seats of Figma on CC-1234', 'we draw', boss, 'yes')
  const [asked] = await findAskedOf(world.db.database, { email: boss, now: world.pipeline.now(), limit: 1 })
  const by = { email: boss, caller: boss }
  const decide = async () =>
    await world.db.database.begin((sql) =>
      decideApproval(sql, { id: asked?.id ?? '', decision: 'granted', by, now: world.pipeline.now() }),
    )
  const decided = await decide()
  if (decided?.event) await world.pipeline.deliver(decided.event)
  await decide()
  expect(await trail()).toEqual([
    ['approval.granted', alice, null, null],
    ['ticket.filed', alice, null, 'servicenow.open_laptop_refresh_ticket'],
    ['approval.declined', alice, null, null],
    ['approval.granted', alice, null, null],
    ['approval.granted', boss, alice, null],
    ['ticket.filed', boss, alice, 'servicenow.open_licence_request'],
  ])
  const words = JSON.stringify(await listAudit(world.db.database, everything, { after: null, limit: 50 }))
  expect(words).not.toMatch(/badge|Figma|draw/)
  const [first, ...rest] = await listAudit(world.db.database, everything, { after: null, limit: 3 })
  expect(rest).toHaveLength(2)
  expect(await listAudit(world.db.database, everything, { after: rest[1]?.id ?? null, limit: 50 })).toHaveLength(3)
  expect(
    await listAudit(world.db.database, { ...everything, onBehalfOf: alice }, { after: null, limit: 50 }),
  ).toHaveLength(2)
  expect(first?.detail).toMatchObject({ ticket: expect.stringMatching(/^REQ/) })
})
