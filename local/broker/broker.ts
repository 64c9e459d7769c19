import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { connect } from '../../shared/store/connect.ts'
import { createAddresses } from './addresses.ts'
import type { Mode } from './back-off.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Counts, createDispatcher } from './dispatcher.ts'
import { createIngress } from './ingress.ts'
import type { Manifests } from './model.ts'
import { startPingSources } from './ping.ts'
import { openQueue } from './queue.ts'
import { createTransport, type Transport } from './transport.ts'

export interface BrokerOptions {
  manifests: Manifests
  databaseUrl: string
  /** Service name to URL. */
  subscribers: Readonly<Record<string, string>>
  mode?: Mode
  /** 0, the default: the system chooses. */
  port?: number
  /** The door has no key of its own, so it opens on loopback unless told otherwise. */
  host?: string
  clock?: Clock
  /** Stands between the broker and its subscribers; what a test puts faults into. */
  through?(transport: Transport): Transport
  log?(line: Record<string, unknown>): void
}

export interface RunningBroker {
  url: string
  port: number
  status(): Record<string, Counts>
  /** Lets what is under way end, at most `graceMs`; what doesn't is delivered again at the next start. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Starts a broker: opens the queue, listens, and delivers everything that is still owed.
 * @throws Fault `broker.manifest-invalid` where a destination has no address, `store.unavailable` without Postgres.
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { manifests, mode = 'channel', host = '127.0.0.1', clock = systemClock, log = () => {} } = options
  let port = options.port ?? 0
  const url = () => `http://${host}:${port}`
  const addressOf = createAddresses(options.subscribers, url)
  const database = connect(options.databaseUrl, { max: 6, name: 'broker' })
  const wire = createTransport()
  const transport = options.through?.(wire.transport) ?? wire.transport
  const release = async () => {
    wire.close()
    await database.end({ timeout: 2 })
  }
  try {
    const queue = await openQueue(database)
    const routes = manifests.triggers.map((trigger) => {
      const { deadLetterSink } = trigger.delivery
      return {
        trigger,
        subscriber: addressOf(trigger.subscriber),
        deadLetterSink: deadLetterSink === undefined ? undefined : addressOf(deadLetterSink),
      }
    })
    for (const source of manifests.pingSources) addressOf(source.sink)
    const dispatcher = createDispatcher({
      mode,
      routes,
      queue,
      transport,
      clock,
      ingressOf: (trigger) => `${url()}/${trigger.namespace}/${trigger.broker}`,
      log,
    })
    const check = () => queue.check()
    const app = createIngress({ mode, brokers: manifests.brokers, dispatcher, clock, check, log })
    const server = await listen(app.fetch, port, host)
    port = portOf(server)
    await dispatcher.resume()
    const stopPings = startPingSources({
      sources: manifests.pingSources,
      addressOf: ({ sink }) => addressOf(sink),
      transport,
      clock,
      log,
    })
    return {
      url: url(),
      port,
      status: dispatcher.status,
      async stop(graceMs = 5000) {
        stopPings()
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        await dispatcher.stop(graceMs)
        server.closeAllConnections()
        await closed
        await release()
      },
    }
  } catch (error) {
    await release()
    throw error
  }
}

type Fetch = Parameters<typeof serve>[0]['fetch']

function listen(fetch: Fetch, port: number, hostname: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname, overrideGlobalObjects: false }, () => {
      server.off('error', reject)
      resolve(server as Server)
    })
    server.once('error', reject)
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the broker listens on no port')
  return address.port
}
