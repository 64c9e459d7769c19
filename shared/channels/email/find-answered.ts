import * as z from 'zod/mini'
import { deterministicId } from '../../events/event.ts'
import type { Offer } from '../../flow/index.ts'
import type { Sql } from '../../store/connect.ts'
import { readMessageId } from './message-id.ts'
import type { Mail } from './parse-mail.ts'
import { addressOf } from './thread.ts'

/** What of ours a mail replies to. */
export interface Answered {
  content: string
  offer: Offer | null
  /** The approval it asks for is somebody else's request, and the writer's to decide. */
  decides: boolean
}

const offer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('choices'), choices: z.array(z.object({ title: z.string(), reply: z.string() })) }),
  z.object({ kind: z.literal('approval'), id: z.uuid(), expiresAt: z.string() }),
])

/**
 * The delivery that a mail replies to, by the Message-ID in its In-Reply-To or else the last of its References; null
 * where that is none that was sent to this very address.
 */
export async function findAnswered(sql: Sql, mail: Mail, person: string, domain: string): Promise<Answered | null> {
  const named = mail.inReplyTo ?? mail.references.at(-1) ?? null
  const delivery = named === null ? null : readMessageId(named, domain)
  if (delivery === null) return null
  const rows = await sql<{ target: string; thread: string | null; content: string; offer: unknown }[]>`
    select target, thread, content, offer from deliveries where turn = ${delivery.turn} and channel = 'email'`
  const found = rows.find(({ target }) => deterministicId('delivery', delivery.turn, target) === delivery.id)
  if (found === undefined || addressOf(found.thread ?? '') !== person) return null
  const parsed = offer.safeParse(found.offer)
  if (!parsed.success) return { content: found.content, offer: null, decides: false }
  return { content: found.content, offer: parsed.data, decides: await isForOthers(sql, parsed.data, person) }
}

async function isForOthers(sql: Sql, asked: Offer, person: string): Promise<boolean> {
  if (asked.kind !== 'approval') return false
  const rows = await sql`
    select 1 from approvals where id = ${asked.id} and person = ${person} and continuation is not null`
  return rows.length > 0
}
