import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

export interface Listener {
  /** Requests that each instance was given. */
  readonly given: readonly number[]
  close(): Promise<void>
}

/**
 * Stands in front of a function's instances as a Knative Service does: one address, and request by request the next
 * instance in turn. It repeats nothing: an instance that cannot be reached is a 502, as the caller of a Service sees it.
 */
export async function listenFor(port: number, instances: readonly number[]): Promise<Listener> {
  const agent = new Agent({ keepAlive: true })
  const given = instances.map(() => 0)
  let next = 0
  const server = createServer((incoming, outgoing) => {
    const turn = next
    next = (next + 1) % instances.length
    given[turn] = (given[turn] ?? 0) + 1
    forward(incoming, outgoing, instances[turn] ?? 0, agent)
  })
  // Longer than what reuses its connections: the functions keep theirs for 72 seconds, too.
  server.keepAliveTimeout = 72_000
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    given,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

/** Passes a request on as it is, and its answer back. */
export function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number, agent: Agent): void {
  const { method, url, headers } = incoming
  const passed = request({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
    answer.once('error', () => outgoing.destroy())
  })
  passed.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end()
  })
  outgoing.once('close', () => passed.destroy())
  incoming.pipe(passed)
}
