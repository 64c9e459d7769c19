import { Fault } from '../../shared/errors/fault.ts'
import { makeSecret, prefixOf } from '../../shared/identity/api-key.ts'
import { type Caller, hasScope, type Scope, subjectOfProgram } from '../../shared/identity/caller.ts'
import {
  type ApiKey,
  createApiKey,
  findApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from '../../shared/store/api-keys.ts'
import { actorOf, noteAudit } from '../../shared/store/audit.ts'
import type { Database } from '../../shared/store/connect.ts'
import { type ApiKeyBody, type ApiKeysBody, type MadeApiKeyBody, newApiKey, newSecret } from './identity-bodies.ts'

export interface ApiKeyParts {
  database: Database
  now(): Date
  newId(): string
  randomBytes(count: number): Uint8Array
}

/** What an operator does about the keys of programs. */
export interface ApiKeyDesk {
  list(): Promise<Response>
  create(caller: Caller, value: unknown): Promise<Response>
  rotate(caller: Caller, id: string, value: unknown): Promise<Response>
  revoke(caller: Caller, id: string): Promise<Response>
}

/** At most so many are listed, the newest first. */
const listed = 500
const [day, hour] = [86_400_000, 3_600_000]

/**
 * A key's secret is in the answer to its creation and to its rotation, and nowhere else. Nobody hands out what they do
 * not have: a scope that the caller lacks is refused, and so is a new secret for a key that has one.
 * @throws Fault `identity.forbidden`, `request.malformed`, `request.not-found` (from what it returns)
 */
export function createApiKeyDesk({ database, now, newId, randomBytes }: ApiKeyParts): ApiKeyDesk {
  const made = (key: ApiKey, token: string, status: number): Response => {
    const body: MadeApiKeyBody = { ...toBody(key), key: token }
    return Response.json(body, { status })
  }
  return {
    async list() {
      const keys = await listApiKeys(database, listed)
      const body: ApiKeysBody = { api_keys: keys.map(toBody) }
      return Response.json(body)
    },

    async create(caller, value) {
      const parsed = newApiKey.safeParse(value)
      if (!parsed.success) throw malformed(parsed.error)
      const { name, days } = parsed.data
      const scopes = [...new Set(parsed.data.scopes)]
      requireOwn(caller, scopes)
      const [id, at] = [newId(), now()]
      const { token, hash } = makeSecret(id, randomBytes)
      const key = {
        ...{ id, subject: subjectOfProgram(name), scopes, hash, createdBy: actorOf(caller), createdAt: at },
        ...{ expiresAt: new Date(at.getTime() + days * day), revokedAt: null, lastUsedAt: null },
      }
      await database.begin(async (sql) => {
        await createApiKey(sql, key)
        const detail = { program: key.subject, scopes, expires_at: key.expiresAt.toISOString() }
        await noteAudit(sql, { actor: actorOf(caller), action: 'api-key.created', subject: id, detail }, at)
      })
      return made(key, token, 201)
    },

    async rotate(caller, id, value) {
      const parsed = newSecret.safeParse(value)
      if (!parsed.success) throw malformed(parsed.error)
      const { days, overlap_hours } = parsed.data
      const at = now()
      const { token, hash } = makeSecret(id, randomBytes)
      const expiresAt = new Date(at.getTime() + days * day)
      const previousUntil = new Date(at.getTime() + overlap_hours * hour)
      const key = await database.begin(async (sql) => {
        const found = await findApiKey(sql, id)
        if (found === null) throw noKey()
        requireOwn(caller, found.scopes)
        if (!(await rotateApiKey(sql, { id, hash, previousUntil, expiresAt, now: at }))) throw noKey()
        const detail = { overlap_hours, expires_at: expiresAt.toISOString() }
        await noteAudit(sql, { actor: actorOf(caller), action: 'api-key.rotated', subject: id, detail }, at)
        return { ...found, expiresAt }
      })
      return made(key, token, 200)
    },

    async revoke(caller, id) {
      const at = now()
      await database.begin(async (sql) => {
        if (!(await revokeApiKey(sql, id, at))) throw noKey()
        await noteAudit(sql, { actor: actorOf(caller), action: 'api-key.revoked', subject: id }, at)
      })
      return new Response(null, { status: 204 })
    },
  }
}

/** `service` is no power: every key is a program's. */
function requireOwn(caller: Caller, scopes: readonly Scope[]): void {
  const lacking = scopes.find((scope) => scope !== 'service' && !hasScope(caller, scope))
  if (lacking !== undefined) throw new Fault('identity.forbidden', `you do not have the scope "${lacking}" yourself`)
}

function malformed({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): Fault {
  const reasons = issues.slice(0, 3).map(({ path, message }) => `${path.map(String).join('.') || 'body'}: ${message}`)
  return new Fault('request.malformed', reasons.join('; '))
}

function noKey(): Fault {
  return new Fault('request.not-found', 'there is no such key, or it is over')
}

function toBody(key: ApiKey): ApiKeyBody {
  return {
    ...{ id: key.id, prefix: prefixOf(key.id), subject: key.subject, scopes: key.scopes, created_by: key.createdBy },
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt.toISOString(),
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  }
}
