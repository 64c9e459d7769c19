import { readLinkToken } from '../../shared/channels/link.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import { actorOf, noteAudit } from '../../shared/store/audit.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findIdentities, findLink, linkIdentity, takeLink, unlinkIdentity } from '../../shared/store/identities.ts'
import { resolvePerson } from '../../shared/store/people.ts'
import { findCopies, setCopies } from '../../shared/store/preferences.ts'
import {
  type LinkBody,
  type LinkedBody,
  linkQuery,
  type MeBody,
  newIdentity,
  newPreferences,
  type PreferencesBody,
} from './identity-bodies.ts'

/** A channel on which people are reached unasked; `reach`: where, by their identities, or null. */
export interface ReachingChannel {
  name: string
  reach(identities: readonly string[]): string | null
}

export interface MeParts {
  database: Database
  now(): Date
  channels: readonly ReachingChannel[]
}

/** What a person sees and says of themselves: their accounts, and where they want to be answered. */
export interface MeDesk {
  show(caller: Caller): Promise<Response>
  setPreferences(caller: Caller, value: unknown): Promise<Response>
  /** Which account a link is about, before it is confirmed. */
  showLink(query: URLSearchParams): Promise<Response>
  link(caller: Caller, value: unknown): Promise<Response>
  unlink(caller: Caller, identity: string): Promise<Response>
}

/**
 * @throws Fault `identity.forbidden` for programs, `request.malformed`, `request.not-found`, `identity.claimed`,
 *   `identity.primary`, `preferences.not-reached` (from what it returns)
 */
export function createMeDesk({ database, now, channels }: MeParts): MeDesk {
  return {
    async show(caller) {
      const email = addressOf(caller)
      const [identities, copies] = await Promise.all([findIdentities(database, email), findCopies(database, email)])
      const names = [`email:${email}`, ...identities.map(({ identity }) => identity)]
      const body: MeBody = {
        person: { email },
        identities: identities.map(({ identity, source, verifiedAt, believedUntil, primary }) => ({
          ...{ identity, source, primary },
          verified_at: verifiedAt.toISOString(),
          believed_until: believedUntil?.toISOString() ?? null,
        })),
        preferences: { copies },
        channels: channels.map(({ name, reach }) => ({ name, reached: reach(names) !== null })),
      }
      return Response.json(body)
    },

    async setPreferences(caller, value) {
      const email = addressOf(caller)
      const parsed = newPreferences.safeParse(value)
      if (!parsed.success) throw new Fault('request.malformed', 'copies: a list of names of channels')
      const copies = [...new Set(parsed.data.copies)]
      const at = now()
      await database.begin(async (sql) => {
        const person = await resolvePerson(sql, `email:${email}`, email)
        const names = (await findIdentities(sql, email)).map(({ identity }) => identity)
        for (const copy of copies) {
          const channel = channels.find(({ name }) => name === copy)
          if (channel === undefined) throw new Fault('preferences.not-reached', `copies: there is no channel ${copy}`)
          if (channel.reach(names) === null)
            throw new Fault('preferences.not-reached', `copies: you are not on ${copy}`)
        }
        await setCopies(sql, person, copies, at)
        await noteAudit(
          sql,
          { actor: actorOf(caller), action: 'preferences.changed', subject: email, detail: { copies } },
          at,
        )
      })
      const body: PreferencesBody = { copies }
      return Response.json(body)
    },

    async showLink(query) {
      const parsed = linkQuery.safeParse({ token: query.get('token') })
      const link = parsed.success ? await findLink(database, readLinkToken(parsed.data.token), now()) : null
      if (link === null) throw noLink()
      const { identity, channel, expiresAt } = link
      const body: LinkBody = { identity, channel, expires_at: expiresAt.toISOString() }
      return Response.json(body)
    },

    async link(caller, value) {
      const email = addressOf(caller)
      const parsed = newIdentity.safeParse(value)
      if (!parsed.success) throw new Fault('request.malformed', 'token: that of a link')
      const at = now()
      const identity = await database.begin(async (sql) => {
        // Both or neither: a link that comes to nothing is not used up.
        const link = await takeLink(sql, readLinkToken(parsed.data.token), at)
        if (link === null) throw noLink()
        const person = await resolvePerson(sql, `email:${email}`, email)
        if (!(await linkIdentity(sql, { identity: link.identity, person, now: at }))) {
          throw new Fault('identity.claimed', 'this account is already somebody else: they have to unlink it first')
        }
        const entry = { actor: actorOf(caller), action: 'identity.linked', subject: link.identity } as const
        await noteAudit(sql, { ...entry, detail: { source: 'sign-in', channel: link.channel } }, at)
        return link.identity
      })
      const body: LinkedBody = { identity }
      return Response.json(body)
    },

    async unlink(caller, identity) {
      const email = addressOf(caller)
      const at = now()
      await database.begin(async (sql) => {
        const done = await unlinkIdentity(sql, { identity, email })
        if (done === 'primary') throw new Fault('identity.primary', 'you are this address: it cannot be unlinked')
        if (done === 'not-theirs') throw new Fault('request.not-found', 'no account of yours is called that')
        await noteAudit(sql, { actor: actorOf(caller), action: 'identity.unlinked', subject: identity }, at)
      })
      return new Response(null, { status: 204 })
    },
  }
}

/** The table of routes lets only people through; a person without an address is none that we know. */
function addressOf(caller: Caller): string {
  if (caller.kind === 'person' && caller.email !== null) return caller.email
  throw new Fault('identity.forbidden', 'only a person has accounts and preferences')
}

function noLink(): Fault {
  return new Fault('request.not-found', 'this link was used, or is over: ask for another one where you got it')
}
