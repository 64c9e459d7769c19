import { randomUUID } from 'node:crypto'
import { createAdaptorServer } from '@hono/node-server'
import { createApp } from './app.ts'
import { type Employee, employees } from './employees.ts'
import { createFaults, type Faults } from './faults.ts'
import type { CatalogueItem } from './records.ts'
import { openTickets, type Ticket } from './tickets.ts'

export interface ServiceNowMockOptions {
  /** 0: a free one. */
  port?: number
  hostname?: string
  now?: () => Date
  /** JSONL file that keeps the tickets over restarts. */
  dataFile?: string
  /** Number of the first ticket: 10001 is REQ0010001. */
  firstNumber?: number
  catalogue?: CatalogueItem[]
  employees?: Employee[]
}

export interface ServiceNowMock {
  url: string
  tickets(): Ticket[]
  /** Forgets all tickets; their numbers are not given again. */
  forgetTickets(): void
  faults: Faults
  /** Requests to the API so far, as `METHOD /path`. */
  requests: string[]
  /** Whether orders keep their correlation id, as only an instance that is set up for it does; it does at the start. */
  recordCorrelation(on: boolean): void
  close(): Promise<void>
}

export const mockCatalogue: CatalogueItem[] = [
  { id: 'mock_laptop_refresh_id', kind: 'laptop-refresh', title: 'Laptop refresh' },
  { id: 'mock_software_licence_id', kind: 'licence', title: 'Software licence' },
  { id: 'mock_help_request_id', kind: 'help', title: 'Help from the service desk' },
]

/** Starts the ServiceNow mock and resolves once it listens. */
export async function startServiceNow(options: ServiceNowMockOptions = {}): Promise<ServiceNowMock> {
  const now = options.now ?? (() => new Date())
  const firstNumber = options.firstNumber ?? 10_001
  const tickets = openTickets({
    firstNumber,
    newSysId: () => randomUUID().replaceAll('-', ''),
    ...(options.dataFile === undefined ? {} : { file: options.dataFile }),
  })
  const faults = createFaults()
  const requests: string[] = []
  const seen = (method: string, path: string) => void requests.push(`${method} ${path}`)
  let correlates = true
  const app = createApp({
    employees: options.employees ?? employees,
    catalogue: options.catalogue ?? mockCatalogue,
    tickets,
    faults,
    now,
    seen,
    correlates: () => correlates,
  })
  const server = createAdaptorServer({ fetch: (request, env) => app.fetch(request, env) })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.hostname ?? '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    forgetTickets: () => tickets.forget(),
    tickets: () => tickets.all(),
    faults,
    requests,
    recordCorrelation(on) {
      correlates = on
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
