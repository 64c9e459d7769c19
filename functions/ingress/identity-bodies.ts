import * as z from 'zod/mini'
import { type Scope, scopes } from '../../shared/identity/caller.ts'

const time = z.iso.datetime()
const channelName = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a channel'))

const preferencesBody = z.object({
  copies: z.array(channelName).check(z.describe('channels on which each answer comes, too')),
})

export const me = z.object({
  person: z.object({ email: z.string() }),
  identities: z.array(
    z.object({
      identity: z.string().check(z.describe('scheme and value: email:alice@example.com, slack:T1/U2')),
      source: z
        .enum(['first-message', 'channel', 'sign-in', 'operator'])
        .check(z.describe('what tied it to the person: a verified address, or a sign-in')),
      verified_at: time,
      believed_until: z.nullable(time).check(z.describe('null: until it is unlinked')),
      primary: z.boolean().check(z.describe('the address that the person is; it cannot be unlinked')),
    }),
  ),
  preferences: preferencesBody,
  channels: z
    .array(z.object({ name: z.string(), reached: z.boolean() }))
    .check(z.describe('where this deployment can send copies, and whether it reaches this person there')),
})

export const newPreferences = z.object({
  copies: z.array(channelName).check(z.maxLength(10), z.describe('in the place of those before; [] for none')),
})
export const preferences = preferencesBody

const token = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/, 'the token of a link'))
export const linkQuery = z.object({ token })
export const newIdentity = z.object({ token: token.check(z.describe('of the link that the channel gave')) })
export const link = z.object({ identity: z.string(), channel: z.string(), expires_at: time })
export const linked = z.object({ identity: z.string() })

const scope = z.enum(Object.keys(scopes) as [Scope, ...Scope[]])
const days = z._default(z.int().check(z.gte(1), z.lte(730)), 365).check(z.describe('days for which it is taken'))

export const newApiKey = z.object({
  name: z
    .string()
    .check(
      z.regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'lower-case letters, digits and hyphens'),
      z.describe('of the program; several keys of one name are one caller'),
    ),
  scopes: z._default(z.array(scope), []).check(z.describe('none that you do not have yourself')),
  days,
})

export const newSecret = z.object({
  days,
  overlap_hours: z
    ._default(z.int().check(z.gte(0), z.lte(168)), 24)
    .check(z.describe('for which the old secret is taken beside the new one')),
})

const apiKey = z.object({
  id: z.uuid(),
  prefix: z.string().check(z.describe('how the key begins: it names it and opens nothing')),
  subject: z.string(),
  scopes: z.array(z.string()),
  created_by: z.string(),
  created_at: time,
  expires_at: time,
  revoked_at: z.nullable(time),
  last_used_at: z.nullable(time).check(z.describe('to the minute')),
})

export const apiKeys = z.object({ api_keys: z.array(apiKey) })
export const madeApiKey = z.extend(apiKey, {
  key: z.string().check(z.describe('the bearer token; shown this once')),
})

export type MeBody = z.infer<typeof me>
export type PreferencesBody = z.infer<typeof preferences>
export type LinkBody = z.infer<typeof link>
export type LinkedBody = z.infer<typeof linked>
export type ApiKeyBody = z.infer<typeof apiKey>
export type ApiKeysBody = z.infer<typeof apiKeys>
export type MadeApiKeyBody = z.infer<typeof madeApiKey>
