import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Mailbox } from '../../shared/channels/channel.ts'
import type { Mailboxes } from '../../shared/channels/mailboxes.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { createKeeper } from './keep.ts'
import { given, tickAt } from './testing/scenes.ts'

/** The tick of the name mail looks into each mailbox of this deployment. */
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const fetched: string[] = []
const keeperOf = (mailboxes: Record<string, Mailbox['fetch']>) => {
  fetched.length = 0
  const opened: Mailboxes = {
    names: Object.keys(mailboxes),
    of: async (name) => ({
      fetch: async (signal) => {
        fetched.push(name)
        return (await mailboxes[name]?.(signal)) ?? { taken: 0 }
      },
    }),
  }
  const { database } = world.db
  return createKeeper({ database, now: world.pipeline.now, publish: async () => {}, mailboxes: opened })
}
const tick = (task = 'mail') => ({ ...tickAt(world.pipeline.now()), data: { task } })
const fine = async () => ({ taken: 1 })

test('each mailbox is fetched, by this tick alone, and one that is away keeps no other', async () => {
  const away = async () => {
    throw new Fault('delivery.unavailable', 'IMAP: ECONNREFUSED')
  }
  const keeper = keeperOf({ away, fine })
  await expect(keeper(tick(), quiet)).rejects.toMatchObject({ code: 'delivery.unavailable', class: 'retryable' })
  expect(fetched).toEqual(['away', 'fine'])
  fetched.length = 0
  await keeper(tick('repair'), quiet)
  await keeper(given(tick(), 'keeper'), quiet)
  expect(fetched).toEqual([])
})

test('a tick that is told to stop is no failed one', async () => {
  const stop = new AbortController()
  const keeper = keeperOf({
    slow: async (signal) => {
      stop.abort()
      signal.throwIfAborted()
      return { taken: 0 }
    },
  })
  expect(await keeper(tick(), { ...quiet, signal: stop.signal })).toBeNull()
})
