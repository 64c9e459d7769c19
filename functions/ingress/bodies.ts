import * as z from 'zod/mini'
import type { ReadByAsker } from '../../shared/channels/read-by-asker.ts'
import { address } from './address.ts'

const free = z.record(z.string(), z.unknown())
const short = (longest: number) => z.string().check(z.maxLength(longest))
const id = z.uuid()

/** What every channel sends; the predecessor's names. Fields that are not named here are left out, not refused. */
const base = {
  user_id: z.nullish(address).check(z.describe("E-mail address of the person who asks. Left out: the caller's own.")),
  content: z
    .string({ error: ({ input }) => (input === undefined ? 'the message is missing' : 'the message is not a text') })
    .check(z.minLength(1, 'the message is empty'), z.describe("The person's words, in any language.")),
  request_type: z._default(z.string().check(z.minLength(1), z.maxLength(100)), 'message'),
  metadata: z._default(free, {}).check(z.describe('Anything, up to 32 KiB; kept with the request.')),
  attachments: z
    ._default(z.array(z.uuid('not an id')).check(z.maxLength(10, 'more than 10')), [])
    .check(z.describe('Ids of files that were sent to /api/v1/attachments; each goes with one message.')),
  approval_id: z
    .nullish(z.uuid('not an id'))
    .check(z.describe('For a pressed button: the id in the offer whose yes or no this is. It answers nothing else.')),
  reply_to: z
    .nullish(z.uuid('not an id'))
    .check(z.describe('Id of a webhook of your own: the answer is pushed there, too.')),
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

const attachment = z.object({
  id,
  name: z.string(),
  media_type: z.string(),
  bytes: z.int(),
  expires_at: z.iso.datetime(),
})

export const takenAttachment = z.extend(attachment, { sha256: z.string().check(z.describe('in hex')) })

export const attachmentQuery = z.object({
  user_id: z.optional(address),
  name: z.optional(short(1_000)),
})

export const conversation = z.object({
  session_id: id,
  state: z.enum(['open', 'closed']),
  agent_id: z.nullable(z.string()),
  created_at: z.iso.datetime(),
  messages: z.array(
    z.object({
      number: z.int(),
      role: z.enum(['employee', 'approver', 'agent', 'system']),
      content: z.string(),
      request_id: z.nullable(id),
      created_at: z.iso.datetime(),
      attachments: z.array(attachment).check(z.describe('what came with it and is still kept')),
    }),
  ),
  next: z.nullable(z.string()).check(z.describe('where the following messages are; null: these were the last')),
})

export const decision = z.object({ decision: z.enum(['approve', 'decline']) })

export const decided = z.object({ id, state: z.enum(['approved', 'declined']) })

export const approvals = z.object({
  approvals: z.array(
    z.object({
      id,
      requester: z.string().check(z.describe('E-mail address of the employee whose request waits')),
      question: z.string(),
      tool: z.string(),
      arguments: free,
      created_at: z.iso.datetime(),
      expires_at: z.iso.datetime(),
    }),
  ),
})

export const awaited = z.object({
  approvals: z.array(
    z.object({
      id,
      asked_of: z.string().check(z.describe('E-mail address of the person who decides')),
      question: z.string(),
      state: z.enum(['open', 'approved', 'declined', 'expired']),
      request_id: z
        .nullable(id)
        .check(z.describe('the request by which the decision entered the conversation: its answer is what came of it')),
      expires_at: z.iso.datetime(),
    }),
  ),
})

const deadLetterStates = ['stored', 'redriven', 'discarded'] as const

export const deadLettersQuery = z.object({
  state: z._default(z.enum(deadLetterStates), 'stored'),
  after: z.optional(id),
  limit: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(200)), 100),
})

const deadLetter = z.object({
  id,
  event_type: z.string(),
  failed_at: z.nullable(z.string()).check(z.describe('address of the function that refused the event')),
  error_code: z.nullable(z.int()).check(z.describe('HTTP status that it answered')),
  error_data: z.nullable(z.string()).check(z.describe('what it answered, as far as the broker passes it on')),
  outcome: z
    .enum(['closed', 'republished', 'recorded'])
    .check(
      z.describe('closed: the employee got an apology; republished: it had been done; recorded: nobody waited for it'),
    ),
  state: z.enum(deadLetterStates),
  session_id: z.nullable(id),
  turn_id: z.nullable(id),
  received_at: z.iso.datetime(),
  decided_by: z.nullable(z.string()),
  decided_at: z.nullable(z.iso.datetime()),
  redriven_as: z.nullable(id).check(z.describe('the request that its words became')),
})

export const deadLetters = z.object({
  dead_letters: z.array(deadLetter),
  next: z.nullable(z.string()).check(z.describe('where the following ones are; null: these were the last')),
})

export const shownDeadLetter = z.extend(deadLetter, {
  event: z.looseObject({}).check(z.describe('the CloudEvent as it was given up')),
  steps: z
    .array(
      z.object({
        number: z.int(),
        agent: z.string(),
        name: z.string(),
        kind: z.string(),
        finished_at: z.iso.datetime(),
      }),
    )
    .check(z.describe('what the turn had done before')),
})

export const deadLetterAction = z.object({
  action: z.enum(['redrive', 'discard']),
  ids: z.array(id).check(z.minLength(1), z.maxLength(100)),
})

export const treated = z.object({
  dead_letters: z.array(
    z.object({
      id,
      result: z.enum([
        'redriven',
        'discarded',
        'already-redriven',
        'already-discarded',
        'not-found',
        'gone',
        'broker-unavailable',
      ]),
      request_id: z.nullable(id).check(z.describe('the new request, where a closed turn was redriven')),
    }),
  ),
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
export type AttachmentBody = z.infer<typeof takenAttachment>
export type DeadLetterBody = z.infer<typeof deadLetter>
export type DeadLettersBody = z.infer<typeof deadLetters>
export type ShownDeadLetterBody = z.infer<typeof shownDeadLetter>
export type TreatedBody = z.infer<typeof treated>
export type ApprovalsBody = z.infer<typeof approvals>
export type AwaitedBody = z.infer<typeof awaited>
export type DecidedBody = z.infer<typeof decided>
export type Problem = z.infer<typeof problem>
