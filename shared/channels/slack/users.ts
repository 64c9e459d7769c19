import * as z from 'zod/mini'
import { Fault } from '../../errors/fault.ts'
import { parseEmail } from '../../identity/email.ts'
import type { Database } from '../../store/connect.ts'
import { resolvePerson } from '../../store/people.ts'
import type { SlackClient } from './client.ts'
import type { SlackSettings } from './settings.ts'
import { writeIdentity } from './thread.ts'

/** Who an account is; without an address that Slack has verified, nobody. `program`: a bot or an app. */
export type Account =
  | { kind: 'person'; email: string }
  /** `linkable`: of our workspace and at work, so that a sign-in may say who it is. */
  | { kind: 'unverified'; why: string; linkable: boolean }
  | { kind: 'program' }

export interface Directory {
  /**
   * The verified address behind an account: what Postgres still believes of it, or what Slack says now.
   * @throws Fault `delivery.unavailable`, `delivery.unknown`, `store.unavailable`
   */
  find(team: string, user: string, signal: AbortSignal): Promise<Account>
}

/** Milliseconds for which Slack's word on an account is believed. */
const believedFor = 3_600_000

/** Of users.info (docs.slack.dev/reference/methods/users.info, /reference/objects/user-object). */
const info = z.object({
  user: z.object({
    team_id: z.optional(z.string()),
    enterprise_user: z.optional(z.object({ enterprise_id: z.optional(z.string()) })),
    deleted: z.optional(z.boolean()),
    is_bot: z.optional(z.boolean()),
    is_app_user: z.optional(z.boolean()),
    is_restricted: z.optional(z.boolean()),
    is_ultra_restricted: z.optional(z.boolean()),
    is_stranger: z.optional(z.boolean()),
    is_email_confirmed: z.optional(z.boolean()),
    profile: z.optional(z.object({ email: z.optional(z.string()) })),
  }),
})
type User = z.infer<typeof info>['user']

export function createDirectory(parts: {
  database: Database
  client: SlackClient
  settings: SlackSettings
  now(): Date
}): Directory {
  const { database, client, settings, now } = parts
  /** The workspace of our token, whose members are believed; asked once a process, and only if nobody is in the cache. */
  let own: Promise<string[]> | undefined
  const teams = async (signal: AbortSignal): Promise<readonly string[]> => {
    if (settings.teams.length > 0) return settings.teams
    own ??= readOwnTeam(client, signal)
    own.catch(() => {
      own = undefined
    })
    return await own
  }
  return {
    async find(team, user, signal) {
      const identity = writeIdentity(team, user)
      const [known] = await database<{ email: string }[]>`
        select p.email from identities i join people p on p.id = i.person
        where i.identity = ${identity} and (i.believed_until is null or i.believed_until > ${now()})`
      if (known !== undefined) return { kind: 'person', email: known.email }
      const [believed, answer] = await Promise.all([teams(signal), client.call('users.info', { user }, signal)])
      if (!answer.ok) {
        if (['user_not_found', 'user_not_visible'].includes(answer.error))
          return { kind: 'unverified', why: answer.error, linkable: false }
        // A token that lacks a scope is an operator's to mend; Slack sends the message again meanwhile.
        throw new Fault('delivery.unavailable', `slack: users.info: ${answer.error}`)
      }
      const account = judge(info.parse(answer.data).user, { teams: believed, guests: settings.guests })
      if (account.kind === 'person') await believe(database, { identity, email: account.email, now: now() })
      return account
    },
  }
}

async function readOwnTeam(client: SlackClient, signal: AbortSignal): Promise<string[]> {
  const answer = await client.call('auth.test', {}, signal)
  if (!answer.ok) throw new Fault('delivery.unavailable', `slack: auth.test: ${answer.error}`)
  const { team_id, enterprise_id } = z
    .object({ team_id: z.string(), enterprise_id: z.nullish(z.string()) })
    .parse(answer.data)
  return enterprise_id ? [team_id, enterprise_id] : [team_id]
}

/** Whether an account's address is its person's: confirmed, of a member of ours, who is at work. */
export function judge(user: User, believed: { teams: readonly string[]; guests: boolean }): Account {
  if (user.is_bot === true || user.is_app_user === true) return { kind: 'program' }
  const unverified = (why: string, linkable = false): Account => ({ kind: 'unverified', why, linkable })
  if (user.deleted === true) return unverified('deactivated')
  const homes = [user.team_id, user.enterprise_user?.enterprise_id].flatMap((home) => home ?? [])
  if (user.is_stranger === true || !homes.some((home) => believed.teams.includes(home))) return unverified('stranger')
  const guest = user.is_restricted === true || user.is_ultra_restricted === true
  if (guest && !believed.guests) return unverified('guest')
  if (user.is_email_confirmed !== true) return unverified('address not confirmed', true)
  const email = parseEmail(user.profile?.email ?? '')
  return email === null ? unverified('no usable address', true) : { kind: 'person', email }
}

/** Notes it with its expiry. What was linked for good, by a sign-in or an operator, is not Slack's to change. */
async function believe(database: Database, account: { identity: string; email: string; now: Date }): Promise<void> {
  const { identity, email, now } = account
  const until = new Date(now.getTime() + believedFor)
  await database.begin(async (sql) => {
    const person = await resolvePerson(sql, `email:${email}`, email)
    await sql`
      insert into identities (identity, person, source, verified_at, believed_until)
      values (${identity}, ${person}, 'channel', ${now}, ${until})
      on conflict (identity) do update
        set person = excluded.person, source = excluded.source, verified_at = excluded.verified_at, believed_until = excluded.believed_until
        where identities.believed_until is not null`
  })
}
