import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Host, host } from '../../shared/stage/host.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { checkBroker } from './check-broker.ts'

let server: Host
let status = 200
let paths: string[] = []
beforeAll(async () => {
  const fetch = async (request: Request) => {
    paths.push(new URL(request.url).pathname)
    return new Response(null, { status })
  }
  const log = createLog({}, { level: 'error' })
  server = await host({ fetch }, { port: 0, hostname: '127.0.0.1', log, readinessPath: '/not-this-one' })
})
afterAll(() => server.close())

const sink = () => `http://127.0.0.1:${server.port}/namespace/broker?x=1`
const unavailable = { code: 'broker.unavailable' }

test.each([200, 204, 404, 405])('a broker that answers %i takes work', async (answer) => {
  status = answer
  paths = []
  await checkBroker(sink(), fetch)
  expect(paths).toEqual(['/health/readiness'])
})

test.each([500, 503])('a broker that answers %i does not', async (answer) => {
  status = answer
  await expect(checkBroker(sink(), fetch)).rejects.toMatchObject(unavailable)
})

test('nor does one that is not there or does not answer in time', async () => {
  await expect(checkBroker('http://127.0.0.1:1/', fetch)).rejects.toMatchObject(unavailable)
  const silent = (_url: string, init: RequestInit) =>
    new Promise<Response>((_resolve, reject) => init.signal?.addEventListener('abort', () => reject(new Error('late'))))
  await expect(checkBroker(sink(), silent, 20)).rejects.toMatchObject(unavailable)
})
