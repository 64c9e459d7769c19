import http from 'node:http'
import { single } from './transport.ts'

/** A subscriber on loopback that keeps what it got and answers as the test says. */
export interface Subscriber {
  url: string
  received: Received[]
  close(): Promise<void>
}

interface Received {
  headers: Record<string, string>
  body: string
  at: number
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
}

export type Behaviour = (received: Received, number: number) => Reply | 'hang' | 'cut' | Promise<Reply>

export async function startSubscriber(behave: Behaviour = () => ({ status: 200 }), port = 0): Promise<Subscriber> {
  const received: Received[] = []
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => {
      const one = { headers: single(request.headers), body: Buffer.concat(chunks).toString(), at: performance.now() }
      received.push(one)
      void Promise.resolve(behave(one, received.length)).then((reply) => {
        if (reply === 'hang') return
        if (reply === 'cut') {
          request.socket.destroy()
          return
        }
        response.writeHead(reply.status, reply.headers).end(reply.body ?? '')
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Waits until the condition holds, at most ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come about in ten seconds`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export interface SentEvent {
  type?: string
  id?: string
  headers?: Record<string, string>
  body?: string
}

let number = 0

/** Sends a binary event to `/ns/default` (or `path`) and returns the answer's status. */
export async function sendEvent(url: string, event: SentEvent = {}, path = '/ns/default'): Promise<number> {
  number += 1
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      'ce-specversion': '1.0',
      'ce-type': event.type ?? 'com.example.happened',
      'ce-source': '/test',
      'ce-id': event.id ?? `event-${number}`,
      'content-type': 'application/json',
      ...event.headers,
    },
    body: event.body ?? '{}',
  })
  await response.body?.cancel()
  return response.status
}

/** YAML of a Broker `default` in `ns`, with what is given under its spec. */
export function brokerYaml(spec = '{}'): string {
  return `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: ns}
spec: ${spec}
---
`
}

/** YAML of a Trigger in `ns`; `rest` is JSON of further members of its spec. */
export function triggerYaml(name: string, service: string, rest: Record<string, unknown> = {}): string {
  const spec = { broker: 'default', subscriber: serviceRef(service), ...rest }
  return `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: ${name}, namespace: ns}
spec: ${JSON.stringify(spec)}
---
`
}

export function serviceRef(name: string) {
  return { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } }
}
