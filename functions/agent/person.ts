import * as z from 'zod/mini'
import { plainText } from '../../shared/flow/plain-text.ts'
import type { Answer } from '../../shared/turn/answer-turn.ts'
import type { CallRecord } from './walk-flow.ts'

/** The tool by which a person takes a conversation over, whoever decides that: docs/decisions/014. */
export const personTool = 'servicenow.open_help_request'

/** Characters of a ticket's number as it is said and kept. */
const longestNumber = 64

const called = z.object({
  request: z.object({ tool: z.literal(personTool) }),
  answer: z.object({ value: z.unknown() }),
})
const filed = z.object({ number: z.string().check(z.minLength(1)) })

/** The ticket with which a call gave the conversation to a person; null: it did not. */
export function ticketOf(call: CallRecord | null): string | null {
  if (call?.write?.state !== 'done') return null
  const parsed = called.safeParse(call)
  return parsed.success ? numberIn(parsed.data.answer.value) : null
}

/** The ticket's number in what the tool answered; null: there is none. */
export function numberIn(value: unknown): string | null {
  const parsed = filed.safeParse(value)
  return parsed.success ? plainText(parsed.data.number).slice(0, longestNumber) || null : null
}

const sayMenu = 'Say "menu" to go on with me; the request stays open.'

/** What an employee reads whose conversation goes to a person without their asking. */
export function takenOver(ticket: string): string {
  return `Your request is **${ticket}**. I stay silent here until they are done. ${sayMenu}`
}

/** How a turn is answered that a person, not the agent, has to do with. It moves nothing. */
export function silentAnswer(silent: Silence): Answer {
  return {
    state: 'answered',
    content: contentOf(silent),
    agent: 'system',
    type: 'message',
    requiresFollowup: false,
    metadata: { handoff: silent.ticket },
    conversation: silent.name === 'menu' ? { agent: null, flow: null } : 'keep',
  }
}

/**
 * `silent`: a message to the person, said in full at most once an hour. `menu`: the employee wants the agent back.
 * `person`: a turn that failed is followed by one that calls a person; ticket null: that did not come off.
 */
export type Silence =
  | { name: 'silent'; ticket: string; inFull: boolean }
  | { name: 'menu'; ticket: string }
  | { name: 'person'; ticket: string | null }

function contentOf(silent: Silence): string {
  switch (silent.name) {
    case 'silent':
      return silent.inFull
        ? `A colleague has this: **${silent.ticket}**. Your message is kept in this conversation, where they can read it. ${sayMenu}`
        : `Noted for your colleague (${silent.ticket}).`
    case 'menu':
      return `I am back. **${silent.ticket}** stays open at the service desk. What do you need?`
    case 'person':
      return silent.ticket === null
        ? 'I could not reach the service desk about that. Please ask it directly.'
        : `A colleague will look at what went wrong. ${takenOver(silent.ticket)}`
  }
}

export const silence = z.discriminatedUnion('name', [
  z.object({ name: z.literal('silent'), ticket: z.string(), inFull: z.boolean() }),
  z.object({ name: z.literal('menu'), ticket: z.string() }),
  z.object({ name: z.literal('person'), ticket: z.nullable(z.string()) }),
])

/** Whether the whole message asks for the agent while a person has the conversation. */
export function wantsAgent(text: string): boolean {
  return ['menu', 'main menu'].includes(text.trim().toLowerCase().replace(/\s+/g, ' '))
}
