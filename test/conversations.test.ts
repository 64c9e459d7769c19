import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod/mini'
import { Fault } from '../shared/errors/fault.ts'
import { agentsFolder, createWorld, type World } from './world.ts'

/** Every scripted conversation of every agent, with the real stages, tools and the local model. */
const script = z.strictObject({
  person: z.email(),
  /** Tools that cannot be reached while the conversation runs. */
  away: z._default(z.array(z.string()), []),
  turns: z.array(
    z.strictObject({
      employee: z.string(),
      expect: z._default(
        z.strictObject({
          contains: z._default(z.array(z.string()), []),
          'not-contains': z._default(z.array(z.string()), []),
          /** Whether this turn opens a ticket in ServiceNow. */
          ticket: z.optional(z.boolean()),
          /** Who answers. */
          agent: z.optional(z.string()),
        }),
        { contains: [], 'not-contains': [] },
      ),
    }),
  ),
})

const files = (await readdir(agentsFolder, { recursive: true })).filter((file) => /conversations\/.+\.yaml$/.test(file))

let world: World
let away: string[] = []
beforeAll(async () => {
  world = await createWorld({
    aroundTool: (callTool) => (call, signal) => {
      if (away.includes(call.tool)) throw new Fault('tool.unavailable', call.tool)
      return callTool(call, signal)
    },
  })
})
afterAll(() => world.close())

describe('scripted conversations', () => {
  test.each(files.sort())('%s', async (file) => {
    const { person, turns, ...conversation } = script.parse(parse(await readFile(join(agentsFolder, file), 'utf8')))
    away = conversation.away
    world.mock.forgetTickets()
    await world.pipeline.say(person, 'reset')
    for (const [index, turn] of turns.entries()) {
      const before = world.mock.tickets().length
      const { response, state } = await world.pipeline.say(person, turn.employee)
      const at = `turn ${index + 1} of ${file}: "${turn.employee}" was answered:\n${response?.content}`
      expect(state, at).toBe('answered')
      for (const text of turn.expect.contains) expect(response?.content, at).toContain(text)
      for (const text of turn.expect['not-contains']) expect(response?.content, at).not.toContain(text)
      if (turn.expect.agent !== undefined) expect(response?.agent_id, at).toBe(turn.expect.agent)
      if (turn.expect.ticket !== undefined) {
        expect(world.mock.tickets().length - before, at).toBe(turn.expect.ticket ? 1 : 0)
      }
    }
  })
})
