import { Fault } from '../../shared/errors/fault.ts'
import { type Caller, hasScope } from '../../shared/identity/caller.ts'
import { type ApiKeyParts, createApiKeyDesk } from './api-keys.ts'
import { createMeDesk, type MeParts } from './me.ts'
import type { IdentityRoute, Route } from './routes.ts'

export interface IdentityCall {
  caller: Caller
  request: Request
  /** What the path names: the id of a key, or an identity. */
  named: string
  /** The body as JSON. */
  read(): Promise<unknown>
  /** The name as an id of ours. @throws Fault `request.not-found` */
  id(): string
}

/** Answers the routes about people's accounts and preferences, and about programs' keys. */
export function createIdentityDesk(
  parts: MeParts & ApiKeyParts,
): (kind: IdentityRoute['kind'], call: IdentityCall) => Promise<Response> {
  const me = createMeDesk(parts)
  const keys = createApiKeyDesk(parts)
  return async (kind, { caller, request, named, read, id }) => {
    switch (kind) {
      case 'me':
        return await me.show(caller)
      case 'preferences':
        return await me.setPreferences(caller, await read())
      case 'show-link':
        return await me.showLink(new URL(request.url).searchParams)
      case 'link':
        return await me.link(caller, await read())
      case 'unlink':
        return await me.unlink(caller, named)
      case 'api-keys':
        return await keys.list()
      case 'create-api-key':
        return await keys.create(caller, await read())
      case 'rotate-api-key':
        return await keys.rotate(caller, id(), await read())
      case 'revoke-api-key':
        return await keys.revoke(caller, id())
    }
  }
}

/**
 * Whether this caller may use a route at all, by the table of routes.
 * @throws Fault `identity.forbidden`
 */
export function requireWho({ who }: Route, caller: Caller): void {
  if (who === 'anyone' || who === 'caller') return
  if (who === 'person') {
    if (caller.kind === 'person' && caller.email !== null) return
    throw new Fault('identity.forbidden', 'this route takes a person, by a token that names their e-mail address')
  }
  if (!hasScope(caller, who)) throw new Fault('identity.forbidden', `this route takes the scope "${who}"`)
}
