import { readBearer } from '../../shared/identity/bearer.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import type { Route } from './routes.ts'

/**
 * Who calls a route: the holder of the bearer token or, on the routes that the page uses and where no token came, the
 * person of its session cookie.
 * @throws Fault of the `identity.*` family
 */
export async function identify(
  route: Route,
  request: Request,
  ways: { verify(token: string): Promise<Caller>; person(request: Request): Promise<Caller | null> },
): Promise<Caller> {
  const authorization = request.headers.get('authorization')
  if (authorization === null && 'cookie' in route && route.cookie) {
    const person = await ways.person(request)
    if (person !== null) return person
  }
  return await ways.verify(readBearer(authorization))
}
