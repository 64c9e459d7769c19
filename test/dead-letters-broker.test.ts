import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createFunction } from '../functions/keeper/index.ts'
import { retrySpan } from '../local/broker/back-off.ts'
import { type RunningBroker, startBroker } from '../local/broker/broker.ts'
import type { Clock } from '../local/broker/clock.ts'
import { readManifestFolder } from '../local/broker/manifests.ts'
import { Fault } from '../shared/errors/fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import type { Event } from '../shared/events/event.ts'
import { publishEvent } from '../shared/events/publish.ts'
import { toHandle } from '../shared/stage/function.ts'
import { type Host, host } from '../shared/stage/host.ts'
import { findDeadLetter, listDeadLetters } from '../shared/store/redrive.ts'
import { findRequest } from '../shared/store/requests.ts'
import { quiet } from './pipeline.ts'
import { createWorld, type World } from './world.ts'

/** Who gives up what, and when: the stages behind the development broker, with the very Triggers of knative/. */
const stages = ['normalize', 'route', 'agent', 'dispatch'] as const
type Stage = (typeof stages)[number]
const apology = 'Something went wrong and I could not finish this. A colleague will look at it.'
const manifests = await readManifestFolder(join(import.meta.dirname, '../knative/base'))

/** A second of the broker's takes a millisecond. */
const started = Date.now()
const fast: Clock = {
  now: () => new Date(started + (Date.now() - started) * 1_000),
  after(milliseconds, wake) {
    const timer = setTimeout(wake, Math.max(milliseconds, 0) / 1_000)
    return () => clearTimeout(timer)
  },
}

let world: World
let broker: RunningBroker
const hosts: Host[] = []
const urls: Record<string, string> = {}
/** Every delivery that a stage got, in order. */
const delivered: { stage: Stage; event: Event }[] = []
/** What a stage throws in place of its work. */
let trouble: (stage: Stage, event: Event) => Fault | null = () => null

beforeAll(async () => {
  world = await createWorld()
  for (const stage of stages) {
    const handle = toHandle(async (event, context) => {
      delivered.push({ stage, event })
      const fault = trouble(stage, event)
      if (fault !== null) throw fault
      return world.pipeline.handlers[stage](event, context)
    })
    hosts.push(await host({ handle }, { port: 0, hostname: '127.0.0.1', log: quiet.log }))
  }
  for (const [index, stage] of stages.entries()) urls[stage] = `http://127.0.0.1:${hosts[index]?.port}`
})
afterAll(async () => {
  await Promise.all(hosts.map((one) => one.close()))
  await world.close()
})

/** The broker of one kind, and the real keeper, whose K_SINK it is. */
async function withBroker(mode: 'channel' | 'kafka', work: () => Promise<void>): Promise<void> {
  const gate = await host(
    { handle: (context, event) => keeper.handle(context, event) },
    {
      ...{ port: 0, hostname: '127.0.0.1', log: quiet.log },
    },
  )
  broker = await startBroker({
    // Ticks come when a test sends one.
    manifests: { ...manifests, pingSources: [] },
    databaseUrl: world.db.url,
    subscribers: { ...urls, keeper: `http://127.0.0.1:${gate.port}` },
    mode,
    clock: fast,
  })
  const sink = `${broker.url}/self-service-agent/default`
  const keeper = createFunction({ DATABASE_URL: world.db.url, K_SINK: sink })
  try {
    await work()
  } finally {
    trouble = () => null
    await broker.stop(5_000_000)
    await gate.close()
    await keeper.shutdown?.()
  }
}

const publish = (event: Event) => publishEvent(`${broker.url}/self-service-agent/default`, event, fetch)
const timesAt = (stage: Stage, event: { id: string }) =>
  delivered.filter((one) => one.stage === stage && one.event.id === event.id).length
const requestOnce = (id: string, state: string) =>
  vi.waitFor(async () => {
    const request = await findRequest(world.db.database, id)
    expect(request?.state).toBe(state)
    return request
  }, 10_000)
const letterOf = (type: string) =>
  vi.waitFor(async () => {
    const letters = await listDeadLetters(world.db.database, { state: 'stored', after: null, limit: 200 })
    const found = letters.find((letter) => letter.eventType === type)
    return found ?? expect.fail(`no dead letter of ${type}`)
  }, 10_000)
async function forgetLetters(): Promise<void> {
  await world.db.database`delete from dead_letters`
}

test.each(['channel', 'kafka'] as const)('poison goes to the keeper on its first delivery (%s)', async (mode) => {
  await forgetLetters()
  await withBroker(mode, async () => {
    const email = `poison-${mode}@company.com`
    const first = await world.pipeline.accept(email, 'refresh')
    const second = await world.pipeline.accept(email, 'hello')
    // The first turn's second step is one that no attempt can do; what came before stands in the journal.
    let poison: Event | undefined
    trouble = (stage, event) => {
      const { step } = (event['data'] ?? {}) as { step?: number }
      if (stage !== 'agent' || step !== 1 || event['correlationid'] !== first.id) return null
      poison = event
      return new Fault('flow.expression-failed', 'no such field')
    }
    await publish(first.event)
    await publish(second.event)
    const failed = await requestOnce(first.id, 'failed')
    expect(failed?.response?.content).toBe('Something went wrong on my side. A colleague will look at it.')
    // Whoever is behind it has their turn.
    await requestOnce(second.id, 'answered')
    expect(timesAt('agent', poison ?? { id: '' })).toBe(1)

    const letter = await letterOf(eventTypes.agentStep)
    expect(letter).toMatchObject({
      outcome: 'closed',
      errorCode: 422,
      failedAt: expect.stringContaining(urls['agent'] ?? ''),
    })
    expect(letter.errorData).toContain('"code":"flow.expression-failed"')
    const shown = await findDeadLetter(world.db.database, letter.id)
    expect(shown?.event).toMatchObject({ id: poison?.id, source: poison?.source, data: poison?.['data'] })
    expect(shown?.steps).toMatchObject([{ number: 0, agent: 'router' }])
  })
})

test('an event that no door stands behind goes there on its first delivery, and nobody is told', async () => {
  await forgetLetters()
  await withBroker('channel', async () => {
    const { event } = await world.pipeline.accept('forged@company.com', 'hello')
    const forged = { ...event, id: 'forged', data: { request_id: '00000000-0000-4000-8000-000000000000' } }
    await publish(forged)
    const letter = await letterOf(eventTypes.requestCreated)
    expect(letter).toMatchObject({ outcome: 'recorded', errorCode: 422, turn: null, session: null })
    expect(letter.errorData).toContain('event.unauthorised')
    expect(timesAt('normalize', forged)).toBe(1)
  })
})

test.each(['channel', 'kafka'] as const)(
  'what may pass is tried as often as its Trigger says, then given up (%s)',
  async (mode) => {
    await forgetLetters()
    await withBroker(mode, async () => {
      const policy = manifests.triggers.find(({ name }) => name === 'normalize')?.delivery ?? expect.fail('no Trigger')
      const lost = await world.pipeline.accept(`lost-${mode}@company.com`, 'hello')
      const late = await world.pipeline.accept(`late-${mode}@company.com`, 'hello')
      trouble = (stage, { id }) => {
        const last = id === late.event.id && timesAt(stage, late.event) === policy.retry + 1
        return stage === 'normalize' && !last ? new Fault('store.unavailable', 'Postgres is away') : null
      }
      const before = fast.now().getTime()
      await publish(lost.event)
      await publish(late.event)
      const failed = await requestOnce(lost.id, 'failed')
      expect(fast.now().getTime() - before).toBeGreaterThan(retrySpan(policy, mode))
      expect(failed?.response?.content).toBe(apology)
      expect(timesAt('normalize', lost.event)).toBe(policy.retry + 1)
      expect(await letterOf(eventTypes.requestCreated)).toMatchObject({ outcome: 'closed', errorCode: 503 })
      // The other one passed at its last attempt, and is nobody's concern.
      await requestOnce(late.id, 'answered')
      expect(timesAt('normalize', late.event)).toBe(policy.retry + 1)
      expect(await listDeadLetters(world.db.database, { state: 'stored', after: null, limit: 10 })).toHaveLength(1)
    })
  },
)
