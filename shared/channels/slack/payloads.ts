import * as z from 'zod/mini'
import { Fault } from '../../errors/fault.ts'

/** Of an Events API call, what is read of it (docs.slack.dev/apis/events-api, /reference/events/message). */
const eventCall = z.discriminatedUnion('type', [
  z.object({ type: z.literal('url_verification'), challenge: z.string() }),
  z.object({
    type: z.literal('event_callback'),
    team_id: z.string(),
    event_id: z.string(),
    authorizations: z.optional(z.array(z.object({ team_id: z.nullish(z.string()), user_id: z.nullish(z.string()) }))),
    event: z.looseObject({ type: z.string() }),
  }),
  z.object({ type: z.literal('app_rate_limited'), team_id: z.string() }),
])

export const message = z.object({
  type: z.enum(['message', 'app_mention']),
  subtype: z.optional(z.string()),
  channel: z.string(),
  channel_type: z.optional(z.string()),
  user: z.optional(z.string()),
  bot_id: z.optional(z.nullable(z.string())),
  app_id: z.optional(z.nullable(z.string())),
  hidden: z.optional(z.boolean()),
  text: z.optional(z.string()),
  ts: z.string(),
  thread_ts: z.optional(z.string()),
})
export type Message = z.infer<typeof message>

/** docs.slack.dev/interactivity/implementing-slash-commands */
const command = z.object({
  team_id: z.string(),
  user_id: z.string(),
  command: z.string(),
  text: z.optional(z.string()),
  trigger_id: z.string(),
})
export type Command = z.infer<typeof command>

/** docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const interaction = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('block_actions'),
    team: z.nullish(z.object({ id: z.string() })),
    user: z.object({ id: z.string(), team_id: z.optional(z.string()) }),
    channel: z.object({ id: z.string() }),
    message: z.object({
      ts: z.string(),
      thread_ts: z.optional(z.string()),
      text: z.optional(z.string()),
      blocks: z.optional(z.array(z.looseObject({ type: z.string() }))),
    }),
    actions: z
      .array(z.object({ action_id: z.string(), block_id: z.string(), value: z.optional(z.string()) }))
      .check(z.minLength(1)),
  }),
  // Dialogues and shortcuts, of which this app has none.
  z.object({ type: z.enum(['view_submission', 'view_closed', 'block_suggestion', 'shortcut', 'message_action']) }),
])
export type Pressed = Extract<z.infer<typeof interaction>, { type: 'block_actions' }>

export function readEventCall(body: Uint8Array) {
  return parse(eventCall, () => JSON.parse(decode(body)))
}

export function readCommand(body: Uint8Array): Command {
  return parse(command, () => Object.fromEntries(new URLSearchParams(decode(body))))
}

export function readInteraction(body: Uint8Array) {
  return parse(interaction, () => JSON.parse(new URLSearchParams(decode(body)).get('payload') ?? ''))
}

function decode(body: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(body)
}

function parse<T>(schema: z.ZodMiniType<T>, read: () => unknown): T {
  let value: unknown
  try {
    value = read()
  } catch (cause) {
    throw new Fault('request.malformed', 'slack: the body cannot be read', { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Fault(
    'request.malformed',
    `slack: ${parsed.error.issues[0]?.path.join('.') ?? 'body'} is not as documented`,
  )
}
