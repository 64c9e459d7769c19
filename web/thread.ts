import type { Attachment, Message } from './api.ts'

/** A message of this page that the conversation does not show yet. */
export interface Unsent {
  /** Its Idempotency-Key: a second try is the same message. */
  key: string
  content: string
  approval: string | null
  attachments: Attachment[]
  state: 'sending' | 'sent' | 'failed'
  /** Known once the door has taken it. */
  request: string | null
  /** Why it failed. */
  why: string | null
  at: string
}

/** What the page knows of the conversation. */
export interface Thread {
  session: string | null
  messages: Map<number, Message>
  unsent: Unsent[]
}

export function emptyThread(): Thread {
  return { session: null, messages: new Map(), unsent: [] }
}

/** Enters a message; what this page sent itself is no longer unsent once it is seen there. */
export function enter(thread: Thread, message: Message): void {
  thread.messages.set(message.number, message)
  settle(thread)
}

/** Drops what has arrived: the stream may be quicker than the answer to the sending. */
export function settle(thread: Thread): void {
  const arrived = new Set([...thread.messages.values()].map(({ request_id }) => request_id))
  thread.unsent = thread.unsent.filter(({ request }) => request === null || !arrived.has(request))
}

export function inOrder(thread: Thread): Message[] {
  return [...thread.messages.values()].sort((a, b) => a.number - b.number)
}

/** The answer whose offer can still be pressed: the last word, with nothing of the person's after it. */
export function pressable(thread: Thread): Message | null {
  const last = inOrder(thread).at(-1)
  if (last === undefined || last.role !== 'agent' || last.offer === null) return null
  return thread.unsent.some(({ state }) => state !== 'failed') ? null : last
}
