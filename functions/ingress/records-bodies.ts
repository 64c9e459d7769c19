import * as z from 'zod/mini'
import { cursorForm } from '../../shared/store/conversations.ts'
import { address } from './address.ts'

const id = z.uuid()
const moment = z.pipe(
  z.iso.datetime({ offset: true }),
  z.transform((text) => new Date(text)),
)
const name = z.string().check(z.minLength(1), z.maxLength(255))
const most = (byDefault: number) => z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(200)), byDefault)

/** What narrows the list of conversations, and their export. */
export const conversationsFilter = z.object({
  person: z.optional(address),
  state: z.optional(z.enum(['open', 'closed'])),
  agent: z.optional(name),
  from: z.optional(moment),
  to: z.optional(moment),
})

export const conversationsQuery = z.extend(conversationsFilter, {
  after: z.optional(z.string().check(z.regex(cursorForm))),
  limit: most(50),
})

export const listedConversation = z.object({
  session_id: id,
  person: z.string().check(z.describe('E-mail address')),
  state: z.enum(['open', 'closed']),
  agent_id: z.nullable(z.string()),
  messages: z.int(),
  handoff: z.nullable(z.string()).check(z.describe('the ticket of the person who has it now')),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

const next = z.nullable(z.string()).check(z.describe('where the following ones are; null: these were the last'))

export const conversations = z.object({ conversations: z.array(listedConversation), next })

export const handoffsQuery = z.object({
  state: z._default(z.enum(['open', 'released']), 'open'),
  after: z.optional(id),
  limit: most(100),
})

const handoff = z.object({
  id,
  session_id: id,
  person: z.string(),
  ticket: z.string(),
  why: z.enum(['asked', 'budget-spent', 'failed']),
  state: z.enum(['open', 'released']),
  opened_at: z.iso.datetime(),
  released_at: z.nullable(z.iso.datetime()),
  released_by: z.nullable(z.string()),
})

export const handoffs = z.object({ handoffs: z.array(handoff), next })

export const releasedHandoff = z.object({
  id,
  result: z.enum(['released', 'already-released']),
})

export const auditQuery = z.object({
  actor: z.optional(name),
  on_behalf_of: z.optional(address),
  action: z.optional(name),
  subject: z.optional(name),
  from: z.optional(moment),
  to: z.optional(moment),
  after: z.optional(z.string().check(z.regex(/^\d{1,18}$/))),
  limit: most(100),
})

export const audit = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      at: z.iso.datetime(),
      actor: z.string().check(z.describe('address of a person, or subject of a program')),
      on_behalf_of: z.nullable(z.string()).check(z.describe('null: for themselves')),
      action: z.string(),
      subject: z.string().check(z.describe('what it was done to, by its id')),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
  next,
})

export type ConversationsBody = z.infer<typeof conversations>
export type ListedConversationBody = z.infer<typeof listedConversation>
export type HandoffsBody = z.infer<typeof handoffs>
export type ReleasedHandoffBody = z.infer<typeof releasedHandoff>
export type AuditBody = z.infer<typeof audit>
