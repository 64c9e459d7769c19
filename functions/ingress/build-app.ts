import { Hono } from 'hono'
import type { Doors } from '../../shared/channels/doors.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { toProblem } from './problem.ts'
import { readAtMost } from './read-at-most.ts'
import { type Route, routes } from './routes.ts'

/** Bytes that a channel may send at once: Slack's largest payload is a fraction of it. */
const channelBodyLimit = 1_048_576

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Answers a call of a route; `id`: what its path names. */
export type Serve = (route: Exclude<Route, { kind: 'host' }>, request: Request, id: string) => Promise<Response>

/** The table of routes as an application: what it does not name is 404, another method is 405. */
export function buildApp(serve: Serve, log: Log, doors: Doors | undefined): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    const { headers } = context.res
    for (const [name, value] of Object.entries(securityHeaders)) if (!headers.has(name)) headers.set(name, value)
  })
  // Names before patterns, so that a GET of /requests/web is no request with the id "web".
  const paths = [...new Set(routes.map((route) => route.path))].sort(
    (a, b) => Number(isPattern(a)) - Number(isPattern(b)),
  )
  for (const path of paths) {
    const ofPath = routes.filter((route) => route.path === path)
    const pattern = path.replace(/\{(\w+)\}/, ':$1')
    for (const route of ofPath) {
      if (route.kind === 'host') continue
      app.on(route.method, pattern, (context) =>
        serve(route, context.req.raw, Object.values<string>(context.req.param())[0] ?? ''),
      )
    }
    const allow = ofPath.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    app.all(pattern, () => toProblem(new Fault('request.method-not-allowed', `this route takes ${allow}`), { allow }))
  }
  for (const route of doors?.routes ?? []) {
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), async ({ req: { raw } }) => {
      const { pathname, searchParams } = new URL(raw.url)
      const body = await readAtMost(raw, channelBodyLimit)
      const call = { method: raw.method, path: pathname, headers: raw.headers, query: searchParams, body }
      return await (doors?.answer(route, call) ?? toProblem(new Fault('request.not-found', 'no such channel')))
    })
  }
  app.notFound(() => toProblem(new Fault('request.not-found', 'there is no such route')))
  app.onError((error, context) => {
    const fault = toFault(error)
    if (fault.status >= 500) log.error('request refused', { code: fault.code, path: context.req.path, error })
    return toProblem(fault)
  })
  return app
}

function isPattern(path: string): boolean {
  return path.includes('{')
}
