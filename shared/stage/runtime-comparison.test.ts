import type { AddressInfo } from 'node:net'
import { CloudEvent } from 'cloudevents'
import faas from 'faas-js-runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFreePorts } from '../../local/platform/ports.ts'
import { Fault } from '../errors/fault.ts'
import { createLog } from '../telemetry/log.ts'
import { toHandle } from './function.ts'
import { host } from './host.ts'

/**
 * The same function under the Knative TypeScript runtime and under ours. Where both are right they must answer alike;
 * where ours differs on purpose, both answers stand here, so that a change of either shows.
 */
const handle = toHandle(async (event) => {
  if (event.type === 'reply') return { ...event, id: 'answer', type: 'u', data: { got: event.data } }
  if (event.type === 'poison') throw new Fault('event.data-invalid', 'poison')
  if (event.type === 'busy') throw new Fault('stage.leased', 'busy')
  return null
})

const log = createLog({}, { write: () => {} })
let theirs = ''
let ours = ''
let stop: () => Promise<void> = async () => {}

beforeAll(async () => {
  // Its types name the CloudEvent of its own, older copy of the SDK; at run time both have the same methods.
  const underTheirs = async (_context: unknown, event?: { toJSON(): Record<string, unknown> }) =>
    (await handle({ log }, new CloudEvent({ ...event?.toJSON() }, false))) ?? ''
  // To it, port 0 would mean 8080.
  const [port = 0] = await findFreePorts(1)
  const runtime = await faas.start({ handle: underTheirs }, { port })
  const mine = await host({ handle }, { port: 0, hostname: '127.0.0.1', log })
  theirs = `http://127.0.0.1:${(runtime.address() as AddressInfo).port}/`
  ours = `http://127.0.0.1:${mine.port}/`
  stop = async () => {
    await mine.close()
    await new Promise((resolve) => runtime.close(resolve))
  }
})
afterAll(() => stop())

const binary = (type: string) => ({ 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': type })
const json = { 'content-type': 'application/json' }
const ceJson = { 'content-type': 'application/cloudevents+json' }
const event = (type: string) => JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type, data: { a: 1 } })

async function ask(base: string, headers: Record<string, string>, body: string) {
  const response = await fetch(base, { method: 'POST', headers, body })
  const text = await response.text()
  const attributes = Object.fromEntries(
    [...response.headers].filter(([name]) => name.startsWith('ce-') && name !== 'ce-time'),
  )
  return { status: response.status, attributes, body: response.status < 300 ? text : '' }
}

describe('alike', () => {
  test.each([
    ['binary, empty answer', { ...binary('t'), ...json }, '{"a":1}'],
    ['structured, empty answer', ceJson, event('t')],
    ['binary, reply', { ...binary('reply'), ...json }, '{"a":1}'],
    ['structured, reply', ceJson, event('reply')],
    ['malformed data of a binary event', { ...binary('t'), ...json }, '{'],
  ])('%s', async (_name, headers, body) => {
    expect(await ask(ours, headers, body)).toEqual(await ask(theirs, headers, body))
  })
  test.each(['health/liveness', 'health/readiness', 'elsewhere'])('GET /%s', async (path) => {
    expect((await fetch(ours + path)).status).toBe((await fetch(theirs + path)).status)
  })
})

describe('different on purpose', () => {
  test.each([
    ["a malformed structured event is the sender's fault, not ours", ceJson, '{"specversion":', 400, 500],
    ['a batch is a 4xx, not a fault', { 'content-type': 'application/cloudevents-batch+json' }, '[]', 415, 500],
    ['an unknown version is refused', { ...binary('t'), 'ce-specversion': '2.0' }, '', 400, 204],
    ['poison goes to the dead letters, not round and round', { ...binary('poison'), ...json }, '{}', 422, 500],
    ['a busy session is a 503', { ...binary('busy'), ...json }, '{}', 503, 500],
    ['what is no event is refused', json, '{"a":1}', 415, 500],
  ])('%s', async (_name, headers, body, mine, runtime) => {
    expect({
      ours: (await ask(ours, headers, body)).status,
      theirs: (await ask(theirs, headers, body)).status,
    }).toEqual({ ours: mine, theirs: runtime })
  })
})

test('a reply survives being a CloudEvent of either copy of the SDK', () => {
  // The runtime knows an event by its class name: a bundle that renames classes would send plain JSON.
  expect(CloudEvent.name).toBe('CloudEvent')
})
