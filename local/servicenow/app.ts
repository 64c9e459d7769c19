import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono, type Next } from 'hono'
import type { Employee } from './employees.ts'
import { type Faults, faultSchema } from './faults.ts'
import { orderItem } from './order.ts'
import { ticketsPage } from './page.ts'
import { type CatalogueItem, sysIdOf, sysIdOfEmployee, tablesAt } from './records.ts'
import { readTable } from './table-api.ts'
import type { Tickets } from './tickets.ts'

export interface Parts {
  employees: Employee[]
  catalogue: CatalogueItem[]
  tickets: Tickets
  faults: Faults
  now: () => Date
  /** Called with each request to the API, before any fault. */
  seen: (method: string, path: string) => void
  /** Whether an order's correlation id is written down. */
  correlates: () => boolean
}

type Bindings = { Bindings: HttpBindings }

/** ServiceNow's REST API as far as the agents use it, a page for people, and POST /faults for tests. */
export function createApp(parts: Parts): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const people = new Map(parts.employees.map((employee) => [sysIdOfEmployee(employee), employee.name]))

  app.get('/', (c) =>
    c.html(
      ticketsPage(
        parts.tickets.all(),
        (sysId) => people.get(sysId) ?? sysId,
        (item) => parts.catalogue.find((known) => known.id === item)?.title ?? item,
      ),
    ),
  )
  app.get('/health', (c) => c.json({ status: 'OK', service: 'mock-servicenow' }))

  app.use('/faults', loopbackOnly)
  app.post('/faults', async (c) => {
    const fault = faultSchema.safeParse(await readJson(c))
    if (!fault.success) return c.json(failure('Not a fault that this mock knows'), 400)
    parts.faults.add(fault.data)
    return c.body(null, 204)
  })
  app.delete('/faults', (c) => {
    parts.faults.clear()
    return c.body(null, 204)
  })

  app.use('/api/*', async (c, next) => {
    parts.seen(c.req.method, c.req.path)
    if ((c.req.header('x-sn-apikey') ?? '') === '') {
      return c.json(failure('User Not Authenticated', 'Required to provide Auth information'), 401)
    }
    return spoil(c, next, parts.faults)
  })

  app.get('/api/now/table/:table', (c) => {
    const url = new URL(c.req.url)
    const tables = tablesAt(parts.now(), parts.employees, parts.catalogue, parts.tickets.all())
    const answer = readTable(tables, c.req.param('table'), url.searchParams, url.origin)
    return answer.ok ? c.json({ result: answer.result }) : c.json(failure(answer.message), 400)
  })

  app.post('/api/sn_sc/servicecatalog/items/:id/order_now', async (c) => {
    const item = parts.catalogue.find((known) => known.id === c.req.param('id'))
    const answer = orderItem(item, await readJson(c), {
      tickets: parts.tickets,
      isPerson: (sysId) => people.has(sysId),
      now: parts.now(),
      correlates: parts.correlates(),
    })
    if (!answer.ok) return c.json(failure(answer.message), answer.status)
    const { sys_id, number } = answer.ticket
    return c.json({
      result: {
        sys_id,
        number,
        request_number: number,
        parent_id: null,
        request_id: sys_id,
        parent_table: 'task',
        table: 'sc_request',
      },
    })
  })

  app.notFound((c) => c.json(failure('Requested URI does not represent any resource'), 400))
  return app
}

/** Answers wrongly, late or not at all where a fault is due; else as usual. */
async function spoil(c: Context<Bindings>, next: Next, faults: Faults): Promise<Response | undefined> {
  const fault = faults.take(c.req.path)
  if (fault === undefined) {
    await next()
    return undefined
  }
  if (fault.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.delay_ms))
  if (fault.kind === 'slow' || fault.commit) await next()
  switch (fault.kind) {
    case 'slow':
      return undefined
    case '401':
      return replace(c, c.json(failure('User Not Authenticated', 'Required to provide Auth information'), 401))
    case '404':
      return replace(c, c.json(failure('No Record found', 'Record does not exist or ACL restricts it'), 404))
    case '429':
      return replace(
        c,
        c.json(failure('Rate limit exceeded'), 429, {
          'Retry-After': String(fault.retry_after),
          'X-RateLimit-Limit': '1',
        }),
      )
    case '500':
      return replace(c, c.json(failure('Transaction cancelled: maximum execution time exceeded'), 500))
    case '503':
      return replace(c, c.text('Service Unavailable', 503))
    case 'garbage':
      return replace(c, c.html('<html><body>Your instance is hibernating</body></html>'))
    case 'huge':
      return replace(c, c.json({ result: [{ sys_id: sysIdOf('huge'), filler: 'x'.repeat(8 * 1024 * 1024) }] }))
    case 'hang':
      await new Promise((resolve) => c.env.outgoing.once('close', resolve))
      return replace(c, RESPONSE_ALREADY_SENT)
    case 'reset':
    case 'reset-after-commit':
      c.env.outgoing.destroy()
      return replace(c, RESPONSE_ALREADY_SENT)
  }
}

function replace(c: Context<Bindings>, response: Response): Response {
  // Hono would merge the headers of the answer that is thrown away into the new one.
  c.res = undefined
  c.res = response
  return response
}

async function loopbackOnly(c: Context<Bindings>, next: Next): Promise<Response | undefined> {
  const address = c.env.incoming.socket.remoteAddress ?? ''
  if (!/^(127\.|::1$|::ffff:127\.)/.test(address)) return c.json(failure('Only for this machine'), 403)
  await next()
  return undefined
}

async function readJson(c: Context<Bindings>): Promise<unknown> {
  try {
    return await c.req.json()
  } catch {
    return undefined // Not JSON: the schema says so to the caller.
  }
}

function failure(message: string, detail = '') {
  return { error: { message, detail }, status: 'failure' }
}
