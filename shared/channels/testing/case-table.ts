import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { World } from '../../../test/world.ts'
import { eventTypes } from '../../events/catalogue.ts'

/** What somebody sees of one message on a channel. */
export interface Shown {
  text: string
  /** Titles of its buttons; none where the channel has none. */
  buttons: string[]
}

export type Somebody = 'alice.johnson@company.com' | 'jane.smith@company.com'

/**
 * A channel as its users have it: its real door and sender, its real peer or a stand-in, and the stages behind. Every
 * channel brings one, so that what all have in common is asserted once.
 */
export interface RunningChannel {
  world: World
  /** Somebody's message, as the channel brings it to us; the same `id` is the same message once more. */
  bring(message: { person: Somebody; text: string; thread: 'one' | 'two'; id: string }): Promise<void>
  /** The same without the proof of where it comes from; each way that the channel knows. None of them may be taken. */
  forgeries(text: string): (() => Promise<void>)[]
  /** Messages that the channel brings and that nobody wrote to us: our own, other programs', notices of the channel. */
  noise(): (() => Promise<void>)[]
  /** Everything that is to be read in a thread, in its order, without what people wrote themselves. */
  shown(thread: 'one' | 'two'): Promise<Shown[]>
  /** Presses a button of the last message of a thread, or sends the reply that does the same; null: it has no buttons. */
  press: ((person: Somebody, thread: 'one' | 'two', title: string) => Promise<void>) | null
  /** What the peer does with the next answer. `lost`: it delivers, and we never hear of it. */
  next(play: 'unavailable' | 'refused' | 'lost'): void
  /** True where a delivery whose end is unknown is looked up; false: it may come twice. */
  looksUp: boolean
  close(): Promise<void>
}

const alice = 'alice.johnson@company.com'
const jane = 'jane.smith@company.com'

/** Declares the tests that every channel passes. `longest`: characters of one message. */
export function describeChannel(name: string, longest: number, start: () => Promise<RunningChannel>): void {
  describe(`what every channel does: ${name}`, () => {
    let channel: RunningChannel
    beforeEach(async () => {
      channel = await start()
    })
    afterEach(() => channel.close())

    const requests = () => channel.world.db.database<{ identity: string; content: string; channel: string }[]>`
      select identity, content, channel from requests where channel = ${name} order by accepted`
    const deliveries = () => channel.world.db.database<{ state: string; channel: string; attempts: number }[]>`
      select state, channel, attempts from deliveries order by place`
    /** Later: what was to be tried again is due, and the keeper's tick sends the answers once more. */
    const later = async () => {
      channel.world.pipeline.pass(3_600_000)
      const answers = channel.world.pipeline.events.filter(({ type }) => type === eventTypes.responseReady)
      await channel.world.pipeline.deliver(...new Map(answers.map((event) => [event.id, event])).values())
    }
    let ids = 0
    const say = (text: string, more: Partial<Parameters<RunningChannel['bring']>[0]> = {}) => {
      ids += 1
      return channel.bring({ person: alice, thread: 'one', id: `case-${ids}`, text, ...more })
    }

    test('a message is its person’s, and is answered in its thread', async () => {
      await say('refresh')
      expect(await requests()).toEqual([{ identity: `email:${alice}`, content: 'refresh', channel: name }])
      const shown = await channel.shown('one')
      expect(shown.map(({ text }) => text).join('\n')).toContain('eligible')
      expect(await channel.shown('two')).toEqual([])
      expect((await deliveries()).map(({ state }) => state)).toEqual(['delivered'])
    })

    test('a message that comes twice is answered once', async () => {
      await say('refresh', { id: 'twice' })
      const before = await channel.shown('one')
      await say('refresh', { id: 'twice' })
      await later()
      expect(await requests()).toHaveLength(1)
      expect(await channel.shown('one')).toEqual(before)
    })

    test('nothing without its proof is taken', async () => {
      const forged = channel.forgeries('open a ticket for me')
      expect(forged.length).toBeGreaterThan(0)
      for (const forge of forged) await forge()
      expect(await requests()).toEqual([])
    })

    test('what nobody wrote to us is no message', async () => {
      for (const noise of channel.noise()) await noise()
      expect(await requests()).toEqual([])
    })

    test('two threads are two places, and one conversation', async () => {
      await say('refresh')
      await say('yes', { thread: 'two' })
      const [one, two] = [await channel.shown('one'), await channel.shown('two')]
      expect(one.map(({ text }) => text).join('\n')).toContain('eligible')
      expect(two.map(({ text }) => text).join('\n')).toContain('Which one would you like')
    })

    test('a long answer is read whole, in messages that the channel takes', async () => {
      await say('refresh')
      await say('yes')
      const shown = await channel.shown('one')
      for (const { text } of shown) expect(text.length).toBeLessThanOrEqual(longest)
      const read = shown.map(({ text }) => text).join('\n')
      for (const fact of ['ServiceNow Code', 'Dimensions', 'Which one would you like']) expect(read).toContain(fact)
    })

    test('what a person writes comes back as text, never as markup or a mention', async () => {
      const hostile = '<script>alert(1)</script> <!channel> <https://evil.example|click> &amp; *bold* @everyone'
      await say(hostile)
      expect((await requests())[0]?.content).toContain('<script>alert(1)</script>')
      const raw = JSON.stringify(await channel.shown('one'))
      for (const markup of ['<script', '<!channel', '<https://evil']) expect(raw).not.toContain(markup)
    })

    test('a yes that is pressed or written opens one ticket, and a second yes none', async () => {
      for (const text of ['refresh', 'yes', '3']) await say(text)
      if (channel.press === null) await say('yes')
      else await channel.press(alice, 'one', 'Yes')
      await say('yes')
      expect(channel.world.mock.tickets()).toHaveLength(1)
      const shown = await channel.shown('one')
      expect(shown.map(({ text }) => text).join('\n')).toContain(channel.world.mock.tickets()[0]?.number)
    })

    test('a peer that takes nothing for a while gets everything later, in its order', async () => {
      channel.next('unavailable')
      await say('refresh')
      await say('yes')
      expect(await channel.shown('one')).toEqual([])
      await later()
      const read = (await channel.shown('one')).map(({ text }) => text).join('\n')
      expect(read.indexOf('eligible')).toBeGreaterThanOrEqual(0)
      expect(read.indexOf('eligible')).toBeLessThan(read.indexOf('Which one would you like'))
      expect((await deliveries()).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
    })

    test('what a peer refuses is given up, and the next answer goes on', async () => {
      channel.next('refused')
      await say('refresh')
      expect((await deliveries())[0]).toMatchObject({ state: 'given-up', channel: name })
      await say('yes')
      expect((await channel.shown('one')).map(({ text }) => text).join('\n')).toContain('Which one would you like')
    })

    test('killed between sending and committing: looked up, or sent again under the same id', async () => {
      channel.next('lost')
      await say('refresh')
      await later()
      expect((await deliveries()).map(({ state }) => state)).toEqual(['delivered'])
      const times = (await channel.shown('one')).filter(({ text }) => text.includes('eligible')).length
      expect(times).toBe(channel.looksUp ? 1 : 2)
    })

    test('a second person is somebody else', async () => {
      await say('refresh')
      await say('yes', { person: jane, thread: 'two' })
      expect((await requests()).map(({ identity }) => identity)).toEqual([`email:${alice}`, `email:${jane}`])
    })
  })
}
