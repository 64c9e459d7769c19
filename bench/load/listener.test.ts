import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { findFreePorts } from '../../local/platform/ports.ts'
import { type Listener, listenFor } from './listener.ts'
import { startSlowModel } from './slow-model.ts'

const servers: Server[] = []
let listener: Listener | undefined
afterEach(async () => {
  await listener?.close()
  listener = undefined
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function instance(name: string): Promise<number> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    response.writeHead(201, { 'x-instance': name }).end(`${name}: ${request.url} ${Buffer.concat(chunks)}`)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('requests go to the instances in turn, and come back as they were', async () => {
  const [port = 0] = await findFreePorts(1)
  listener = await listenFor(port, [await instance('a'), await instance('b')])
  const said: string[] = []
  for (const body of ['one', 'two', 'three']) {
    const response = await fetch(`http://127.0.0.1:${port}/x?y=1`, { method: 'POST', body })
    expect(response.status).toBe(201)
    said.push(`${response.headers.get('x-instance')} ${await response.text()}`)
  }
  expect(said).toEqual(['a a: /x?y=1 one', 'b b: /x?y=1 two', 'a a: /x?y=1 three'])
  expect(listener.given).toEqual([2, 1])
})

test('an instance that is not there is a 502 for its caller alone', async () => {
  const [port = 0, nobody = 0] = await findFreePorts(2)
  listener = await listenFor(port, [nobody, await instance('b')])
  const statuses: number[] = []
  for (let index = 0; index < 4; index += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    await response.arrayBuffer()
    statuses.push(response.status)
  }
  expect(statuses).toEqual([502, 201, 502, 201])
})

test('the slow model holds one question, and no other meanwhile', async () => {
  const [port = 0] = await findFreePorts(1)
  const model = await startSlowModel(port, await instance('model'))
  try {
    model.hold('zeppelin', 300)
    const ask = async (body: string): Promise<number> => {
      const began = performance.now()
      const response = await fetch(`http://127.0.0.1:${port}/v1`, { method: 'POST', body })
      expect(await response.text()).toBe(`model: /v1 ${body}`)
      return performance.now() - began
    }
    const [held, other] = await Promise.all([ask('a zeppelin'), ask('a bicycle')])
    expect(held).toBeGreaterThan(295)
    expect(other).toBeLessThan(held)
    expect(model.held?.until).toBeGreaterThanOrEqual((model.held?.from ?? 0) + 295)
    expect(await ask('a zeppelin')).toBeLessThan(295)
  } finally {
    await model.close()
  }
})
