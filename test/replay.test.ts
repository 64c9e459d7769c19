import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod/mini'
import { traceOf } from '../functions/agent/replay/trace.ts'
import { Fault } from '../shared/errors/fault.ts'
import { agentsFolder, composeWorld } from './compose-world.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { replayAll } from './replay-all.ts'

/** The conversations of test/conversations.test.ts, which holds the answers against what they should be. */
const script = z.object({
  person: z.string(),
  away: z._default(z.array(z.string()), []),
  turns: z.array(z.object({ employee: z.string() })),
})

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

test('every turn of every scripted conversation runs again as recorded, with model and tools gone', async () => {
  const agents = await playAll()
  const replays = await replayAll(db.database, agents)
  const others = replays.filter(({ verdict }) => verdict !== 'exact')
  expect(others.map(traceOf)).toEqual([])

  // None of it for want of anything to replay.
  const steps = replays.flatMap((replay) => replay.steps)
  const kinds = new Set(steps.map(({ recorded }) => recorded.kind))
  expect([...kinds].sort()).toEqual(['call', 'command', 'compose', 'decide', 'extract', 'flow'])
  const moves = new Set(steps.map(({ walked }) => walked?.move.kind))
  expect([...moves].sort()).toEqual(['end', 'handoff', 'step', 'wait', undefined])
  const changes = new Set(steps.flatMap(({ walked }) => walked?.approvals ?? []).map(({ kind }) => kind))
  expect([...changes].sort()).toEqual(['decline', 'expire', 'grant', 'open', 'use'])
  expect(replays.length).toBeGreaterThan(200)
}, 180_000)

/** Plays every conversation and stops the model, the tools and the mock. */
async function playAll() {
  let away: string[] = []
  const world = await composeWorld(db.database, {
    aroundTool: (callTool) => (call, signal) => {
      if (away.includes(call.tool)) throw new Fault('tool.unavailable', call.tool)
      return callTool(call, signal)
    },
  })
  try {
    const files = await readdir(agentsFolder, { recursive: true })
    for (const file of files.filter((name) => /conversations\/.+\.yaml$/.test(name)).sort()) {
      const { person, turns, ...conversation } = script.parse(parse(await readFile(join(agentsFolder, file), 'utf8')))
      away = conversation.away
      world.mock.forgetTickets()
      await world.pipeline.say(person, 'reset')
      for (const { employee } of turns) {
        await world.pipeline.say(person, employee)
        world.pipeline.pass(1_234)
      }
    }
    return world.pipeline.parts.agents
  } finally {
    await world.close()
  }
}
