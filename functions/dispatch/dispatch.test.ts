import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Incoming } from '../../shared/channels/receive.ts'
import { type Recorder, recorder, sendersOf } from '../../shared/channels/testing/recorder.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { holdTarget } from '../../shared/store/delivery-queue.ts'
import { redriveDeadLetter } from '../../shared/store/redrive.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { createDispatch } from './dispatch.ts'

let chat: Recorder
let mail: Recorder
let blind: Recorder
let world: World
beforeEach(async () => {
  chat = recorder('chat')
  mail = recorder('email')
  blind = recorder('blind', { canFind: false })
  world = await createWorld({ senders: sendersOf({ chat, mail, blind }) })
})
afterEach(() => world.close())

let messages = 0
const say = (text: string, more: Partial<Incoming> = {}) => {
  messages += 1
  return world.pipeline.receive({
    ...{
      channel: 'chat',
      message: `m${messages}`,
      person: 'alice.johnson@company.com',
      caller: 'chat:U1',
      own: true,
      text,
    },
    ...{ thread: 'T1', context: { ts: String(messages) }, button: null, attachments: [], ...more },
  })
}
/** Every answer so far once more, as the keeper's tick sends it. */
const again = async () => {
  const answers = world.pipeline.events.filter(({ type }) => type === eventTypes.responseReady)
  await world.pipeline.deliver(...new Map(answers.map((answer) => [answer.id, answer])).values())
}
const states = () => world.db.database<
  { channel: string; state: string; attempts: number; reference: string | null }[]
>`
  select channel, state, attempts, reference from deliveries order by place`
const delivered = async () =>
  (await world.db.database<{ delivered: boolean }[]>`select delivered from turns`).map((turn) => turn.delivered)

test('an answer goes to the thread it was asked in, with what the channel said of the message', async () => {
  await say('refresh')
  expect(chat.delivered).toMatchObject([
    {
      ...{ person: 'alice.johnson@company.com', thread: 'T1', agent: 'laptop-refresh' },
      text: expect.stringContaining('Would you like to go on'),
      origin: { message: 'm1', context: { ts: '1' } },
    },
  ])
  expect(mail.delivered).toEqual([])
  expect(await states()).toMatchObject([{ channel: 'chat', state: 'delivered', attempts: 1, reference: 'sent-1' }])
  await again()
  expect(chat.tries).toBe(1)
  expect(await delivered()).toEqual([true])
})

test('a channel that takes nothing holds its thread up, in order, and no other', async () => {
  chat.plays.push('unavailable')
  await say('refresh')
  await say('yes')
  await say('help', { channel: 'mail', thread: 'root-1', message: 'x' })
  expect(chat.delivered).toEqual([])
  expect(mail.delivered).toHaveLength(1)
  expect(chat.tries).toBe(1)
  world.pipeline.pass(5_000)
  await again()
  expect(chat.delivered.map(({ origin }) => origin?.message)).toEqual([
    expect.stringMatching(/^m/),
    expect.stringMatching(/^m/),
  ])
  const [first, second] = chat.delivered.map(({ origin }) => Number(origin?.message?.slice(1)))
  expect(second).toBe(Number(first) + 1)
  expect(await delivered()).toEqual([true, true, true])
})

test('what a channel refuses goes to the next one on which the person is reached, and the thread goes on', async () => {
  chat.plays.push('refuse')
  await say('refresh')
  expect(await states()).toMatchObject([
    { channel: 'chat', state: 'given-up' },
    { channel: 'mail', state: 'delivered' },
  ])
  await say('yes')
  expect(mail.delivered).toMatchObject([{ thread: 'alice.johnson@company.com', origin: null }])
  expect(chat.delivered).toHaveLength(1)
  expect(await delivered()).toEqual([true, true])
})

test('an answer is given up after a day of trying, however often that was', async () => {
  chat.plays.push(...Array<'unavailable'>(400).fill('unavailable'))
  await say('refresh')
  for (let second = 0; second < 60; second += 5) {
    world.pipeline.pass(5_000)
    await again()
  }
  expect(await states()).toMatchObject([{ channel: 'chat', state: 'pending', attempts: 13 }])
  world.pipeline.pass(25 * 3_600_000)
  await again()
  expect(await states()).toMatchObject([
    { channel: 'chat', state: 'given-up' },
    { channel: 'mail', state: 'delivered' },
  ])
})

test('what is given up and reaches nobody is a dead letter, and redriving it goes on with the delivery', async () => {
  mail.plays.push('refuse')
  await say('refresh', { channel: 'mail', thread: 'root' })
  const letters = await world.db.database`select event_type, outcome, failed_at, error_data from dead_letters`
  expect(letters).toMatchObject([
    {
      event_type: eventTypes.responseReady,
      outcome: 'recorded',
      failed_at: 'mail',
      error_data: expect.stringContaining('delivery.refused'),
    },
  ])
  const [letter] = await world.db.database<{ id: string }[]>`select id from dead_letters`
  const redriven = await world.db.database.begin((sql) =>
    redriveDeadLetter(sql, { id: letter?.id ?? '', by: 'operator', now: world.pipeline.now() }),
  )
  if (redriven?.kind !== 'event') throw new Error('an event was to be redriven')
  await world.pipeline.deliver(redriven.event)
  expect(mail.delivered).toHaveLength(1)
  expect(await states()).toMatchObject([{ state: 'delivered' }])
})

test('answers go out in their order, also where the event of an earlier one comes late', async () => {
  const { pipeline } = world
  const handle = pipeline.handlers.dispatch
  const late: Event[] = []
  pipeline.handlers.dispatch = async (event) => {
    late.push(event)
    return null
  }
  await say('refresh')
  await say('yes')
  pipeline.handlers.dispatch = handle
  for (const event of late.toReversed()) await handle(event, quiet)
  const [first, second] = chat.delivered.map(({ origin }) => Number(origin?.message?.slice(1)))
  expect(chat.delivered).toHaveLength(2)
  expect(second).toBe(Number(first) + 1)
})

test('whatever a sender throws once it has begun may have been sent, so it is looked up', async () => {
  const { send } = chat.sender
  chat.sender.send = async (outgoing, signal) => {
    await send(outgoing, signal)
    throw new TypeError('fetch failed')
  }
  await say('refresh')
  chat.sender.send = send
  expect(await states()).toMatchObject([{ state: 'sending' }])
  world.pipeline.pass(600_000)
  await again()
  expect(chat.delivered).toHaveLength(1)
})

test.each([
  ['deliver, then lose the answer', 1],
  ['lose it', 2],
] as const)('an answer of the channel that is lost (%s): %i tries', async (play, tries) => {
  chat.plays.push(play)
  await say('refresh')
  world.pipeline.pass(600_000)
  await again()
  expect(chat.tries).toBe(tries)
  expect(chat.delivered).toHaveLength(1)
  expect(await states()).toMatchObject([{ state: 'delivered', reference: 'sent-1' }])
})

test('a channel that cannot be asked may get the same delivery twice, with the same id', async () => {
  blind.plays.push('deliver, then lose the answer')
  await say('refresh', { channel: 'blind' })
  world.pipeline.pass(600_000)
  await again()
  expect(blind.delivered).toHaveLength(2)
  expect(new Set(blind.delivered.map(({ id }) => id)).size).toBe(1)
})

test('one sends, and takes along what came meanwhile; the others have nothing to do', async () => {
  const sending = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  chat.before = async () => {
    sending.resolve()
    await goOn.promise
  }
  const first = say('refresh')
  await sending.promise
  chat.before = async () => {}
  await say('menu', { person: 'bob.smith@company.com', thread: 'T1' })
  expect(chat.delivered).toEqual([])
  goOn.resolve()
  await first
  expect(chat.delivered.map(({ person }) => person)).toEqual(['alice.johnson@company.com', 'bob.smith@company.com'])
})

test('who died while it sent is followed within the same delivery, once its lease is over', async () => {
  chat.plays.push('unavailable')
  await say('refresh')
  const { database } = world.db
  await database`update deliveries set state = 'sending', next_try_at = null`
  expect(await holdTarget(database, 'chat:T1', 60_000)).not.toBeNull()
  const senders = sendersOf({ chat, mail, blind })
  const answer = world.pipeline.events.findLast(({ type }) => type === eventTypes.responseReady)
  if (answer === undefined) throw new Error('no answer')
  const { now } = world.pipeline
  await expect(createDispatch({ database, senders, now, patienceMs: 0 })(answer, quiet)).rejects.toMatchObject({
    code: 'stage.leased',
  })
  const second = createDispatch({ database, senders, now, patienceMs: 5_000 })(answer, quiet)
  await database`update delivery_targets set lease_until = now() - interval '1 s'`
  await second
  expect(chat.delivered).toHaveLength(1)
})

test('a copy goes where the person wants one, and never twice to one place', async () => {
  await say('hello')
  await world.db
    .database`insert into preferences (person, copies, updated_at) select id, '{mail,chat}', now() from people`
  await say('refresh')
  expect(mail.delivered).toMatchObject([{ thread: 'alice.johnson@company.com', origin: null }])
  expect(chat.delivered).toHaveLength(2)
})

test('a second person is asked where they are reached, and their press is the decision', async () => {
  const words = ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', 'jane.smith@company.com', 'yes']
  for (const text of words) {
    await say(text)
  }
  const asked = mail.delivered.find(({ offer }) => offer?.kind === 'approval')
  expect(asked?.text).toContain('alice.johnson@company.com asks for your decision')
  const approval = asked?.offer?.kind === 'approval' ? asked.offer.id : ''
  const press = { channel: 'mail', person: asked?.thread ?? '', button: { approval, yes: true }, message: 'press' }
  expect(await say('yes', { ...press, person: 'eve@company.com' })).toMatchObject({ kind: 'accepted' })
  expect(await say('yes', press)).toEqual({ kind: 'decided', decision: 'granted' })
  expect(await say('no', { ...press, button: { approval, yes: false } })).toEqual({ kind: 'late' })
  expect(chat.delivered.at(-1)?.text).toMatch(/REQ\d+/)
  expect(chat.delivered.at(-1)?.origin).toMatchObject({ context: { ts: expect.any(String) } })
})

test('a request may name a further place: it gets the answer too, and falls back to nowhere', async () => {
  chat.plays.push('refuse', 'unavailable')
  const also = JSON.stringify([{ channel: 'chat', thread: 'program' }])
  for (const words of ['refresh', 'yes']) {
    const { id, event } = await world.pipeline.accept('alice.johnson@company.com', words)
    await world.db.database`
      update requests set target = jsonb_set(target, '{also}', ${also}::text::jsonb) where id = ${id}`
    await world.pipeline.deliver(event)
  }
  expect(await states()).toMatchObject([
    { channel: 'generic', state: 'delivered' },
    { channel: 'chat', state: 'given-up' },
    { channel: 'generic', state: 'delivered' },
    { channel: 'chat', state: 'pending' },
  ])
  world.pipeline.pass(5_000)
  await again()
  expect(chat.delivered).toMatchObject([{ thread: 'program', person: '' }])
  expect(mail.delivered).toEqual([])
  expect(await delivered()).toEqual([true, true])
})

test('where nobody listens the person is answered where they are reached, or in their conversation alone', async () => {
  const event = { channel: 'nobody-listens', thread: null, own: false }
  await say('refresh', { ...event, reach: ['chat', 'mail'] })
  expect(mail.delivered).toMatchObject([{ thread: 'alice.johnson@company.com', origin: null }])
  await say('refresh', { ...event, reach: [] })
  expect(mail.delivered).toHaveLength(1)
  expect(await states()).toMatchObject([
    { channel: 'mail', state: 'delivered' },
    { channel: 'nobody-listens', state: 'delivered' },
  ])
  expect(await delivered()).toEqual([true, true])
})

test('a channel that was taken out: the answer goes where the person is reached, and the request is answered', async () => {
  await say('refresh', { channel: 'fax', thread: '1' })
  expect(await states()).toMatchObject([
    { channel: 'fax', state: 'given-up' },
    { channel: 'mail', state: 'delivered' },
  ])
  expect(await world.db.database`select state from requests`).toMatchObject([{ state: 'answered' }])
  expect(await delivered()).toEqual([true])
})

test('an answer that is announced and that nobody gave is forgotten: the one of that id is delivered when it comes', async () => {
  const { events, handlers } = world.pipeline
  const { dispatch } = handlers
  handlers.dispatch = async () => null
  await say('refresh')
  const answer = events.findLast(({ type }) => type === eventTypes.responseReady)
  if (answer === undefined) throw new Error('no answer')
  const { database } = world.db
  const [turn] = await database<{ response: string }[]>`select response from turns`
  await database`update turns set response = null`
  expect(await dispatch(answer, quiet)).toBeNull()
  expect(chat.delivered).toEqual([])
  await database`update turns set response = ${turn?.response ?? ''}`
  await dispatch(answer, quiet)
  expect(chat.delivered).toHaveLength(1)
  expect(await delivered()).toEqual([true])
})
