import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod/mini'

/** A process of a function at a fault point. */
export interface Arrival {
  service: string
  point: string
  pid: number
}

/** What faultPoint() does next: go on, throw, or lose the reply that is about to be sent. */
export type Order = '' | 'throw' | 'lose'

export interface Control {
  /** FAULT_CONTROL of a function's processes. */
  urlFor(service: string): string
  close(): Promise<void>
}

const report = z.object({ point: z.string(), pid: z.int() })

/** The other side of faultPoint(): a process waits at its point until `arrived` resolves. */
export async function startControl(arrived: (arrival: Arrival) => Promise<Order>): Promise<Control> {
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { point, pid } = report.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      response.end(await arrived({ service: (request.url ?? '').slice(1), point, pid }))
    } catch {
      // A killed process waits for no answer; any other sees its call fail, which its log will say.
      response.destroy()
    }
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    urlFor: (service) => `http://127.0.0.1:${port}/${service}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
