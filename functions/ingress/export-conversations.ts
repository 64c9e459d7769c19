import type { Database } from '../../shared/store/connect.ts'
import {
  type ConversationFilter,
  type ListedConversation,
  listConversations,
} from '../../shared/store/conversations.ts'
import { findConversation } from '../../shared/store/requests.ts'
import type { ListedConversationBody } from './records-bodies.ts'

/** Conversations, and messages of one, that are read at a time: what a stream holds in memory. */
const conversationPage = 50
const messagePage = 200

/**
 * Conversations as JSON, one object a line (application/x-ndjson): each conversation, then its messages. Read from Postgres
 * page by page, and only as fast as the reader takes it. `begin` runs before the first word of one is sent.
 */
export function exportConversations(
  database: Database,
  filter: ConversationFilter,
  options: { begin(conversation: ListedConversation): Promise<void>; signal: AbortSignal; name: string },
): Response {
  const lines = write(database, filter, options)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await lines.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        await lines.return()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, {
    headers: {
      'content-type': 'application/x-ndjson',
      'content-disposition': `attachment; filename="${options.name}.jsonl"`,
    },
  })
}

async function* write(
  database: Database,
  filter: ConversationFilter,
  { begin, signal }: { begin(conversation: ListedConversation): Promise<void>; signal: AbortSignal },
): AsyncGenerator<string, void> {
  for (let after: string | null = null; ; ) {
    const found: ListedConversation[] = await listConversations(database, filter, { after, limit: conversationPage })
    for (const conversation of found) {
      await begin(conversation)
      yield line({ type: 'conversation', ...describeConversation(conversation) })
      yield* writeMessages(database, conversation.id, signal)
    }
    after = found.at(-1)?.cursor ?? null
    if (found.length < conversationPage) return
  }
}

async function* writeMessages(database: Database, id: string, signal: AbortSignal): AsyncGenerator<string, void> {
  for (let after = 0; ; ) {
    signal.throwIfAborted()
    const page = await findConversation(database, id, { email: null, after, limit: messagePage })
    const messages = page?.messages ?? []
    const lines = messages.map(({ number, role, content, request, createdAt }) =>
      line({
        ...{ type: 'message', session_id: id, number, role, content, request_id: request },
        created_at: createdAt.toISOString(),
      }),
    )
    if (lines.length > 0) yield lines.join('')
    if (messages.length < messagePage) return
    after = messages.at(-1)?.number ?? after
  }
}

export function describeConversation(conversation: ListedConversation): ListedConversationBody {
  const { id, person, state, agent, messages, handoff, createdAt, updatedAt } = conversation
  return {
    ...{ session_id: id, person, state, agent_id: agent, messages, handoff },
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
