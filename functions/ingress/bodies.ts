import * as z from 'zod/mini'
import type { ReadByAsker } from '../../shared/channels/read-by-asker.ts'
import { parseEmail } from '../../shared/identity/email.ts'

const free = z.record(z.string(), z.unknown())
const short = (longest: number) => z.string().check(z.maxLength(longest))
const id = z.uuid()

const address = z.pipe(
  z.string().check(z.maxLength(255)),
  z.transform((text, context) => {
    const email = parseEmail(text)
    if (email !== null) return email
    context.issues.push({ code: 'custom', message: 'not an e-mail address', input: undefined })
    return z.NEVER
  }),
)

/** What every channel sends; the predecessor's names. Fields that are not named here are left out, not refused. */
const base = {
  user_id: z.nullish(address).check(z.describe("E-mail address of the person who asks. Left out: the caller's own.")),
  content: z.string().check(z.minLength(1), z.describe("The person's words, in any language.")),
  request_type: z._default(z.string().check(z.minLength(1), z.maxLength(100)), 'message'),
  metadata: z._default(free, {}).check(z.describe('Anything, up to 32 KiB; kept with the request.')),
}

const typeOf = <Name extends ReadByAsker>(name: Name) =>
  z.optional(z.literal(name)).check(z.describe('The channel, in upper or lower case.'))

/** One schema a channel. `session_token` is taken as the predecessor did, and never kept. */
export const bodies = {
  web: z.object({
    integration_type: typeOf('web'),
    ...base,
    session_token: z.nullish(z.string()),
    client_ip: z.nullish(short(45)),
    user_agent: z.nullish(short(500)),
  }),
  cli: z.object({
    integration_type: typeOf('cli'),
    ...base,
    cli_session_id: z.nullish(short(255)),
    command_context: z._default(free, {}),
  }),
  tool: z.object({
    integration_type: typeOf('tool'),
    ...base,
    tool_id: z.string().check(z.minLength(1), z.maxLength(255)),
    tool_instance_id: z.nullish(short(255)),
    trigger_event: z.string().check(z.minLength(1), z.maxLength(255)),
    tool_context: z._default(free, {}),
  }),
  generic: z.object({ integration_type: typeOf('generic'), ...base }),
} as const satisfies Record<ReadByAsker, z.ZodMiniType>

export const conversationQuery = z.object({
  after: z._default(z.coerce.number().check(z.int(), z.gte(0), z.lte(2_147_483_647)), 0),
  limit: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(200)), 200),
})

const answer = z.object({
  content: z.string(),
  agent_id: z.nullable(z.string()),
  metadata: free,
  processing_time_ms: z.int(),
  requires_followup: z.boolean(),
  followup_actions: z.array(z.string()),
})

export const finished = z.object({
  request_id: id,
  session_id: z.nullable(id),
  status: z.enum(['completed', 'failed']).check(z.describe('failed: the answer is an apology, a colleague follows up')),
  response: z.nullable(answer),
})

export const accepted = z.object({
  request_id: id,
  session_id: z.nullable(id).check(z.describe('null until the conversation is found')),
  status: z.literal('accepted'),
})

export const conversation = z.object({
  session_id: id,
  state: z.enum(['open', 'closed']),
  agent_id: z.nullable(z.string()),
  created_at: z.iso.datetime(),
  messages: z.array(
    z.object({
      number: z.int(),
      role: z.enum(['employee', 'agent']),
      content: z.string(),
      request_id: z.nullable(id),
      created_at: z.iso.datetime(),
    }),
  ),
  next: z.nullable(z.string()).check(z.describe('where the following messages are; null: these were the last')),
})

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().check(z.describe('a code of docs/errors.md')),
  request_id: z.optional(id),
})

export type Finished = z.infer<typeof finished>
export type AcceptedBody = z.infer<typeof accepted>
export type ConversationBody = z.infer<typeof conversation>
export type Problem = z.infer<typeof problem>
