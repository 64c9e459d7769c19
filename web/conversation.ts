import { type Attachment, call, isPassing, type Message, openEvents, pause, post, Refusal } from './api.ts'
import type { FileRules } from './composer.ts'
import { emptyThread, enter, inOrder, settle, type Thread, type Unsent } from './thread.ts'

export interface Work {
  state: 'queued' | 'working' | 'waiting'
  agent: string | null
  step: number
  at: string | null
}

/** What the door says of the conversation as a stream begins. */
export interface Opened {
  person: string
  session_id: string | null
  message_limit: number
  files: FileRules | null
}

/** What the page does about what happens. */
export interface View {
  opened(opened: Opened): void
  changed(thread: Thread): void
  working(work: Work | null): void
  signedOut(): void
  /** The service does not answer; null: it does again. */
  away(tries: number | null): void
}

export interface Conversation {
  thread: Thread
  /** Follows what happens until nothing is under way; whoever asks meanwhile gets another round. */
  follow(): Promise<void>
  send(content: string, approval: string | null, attachments: Attachment[]): void
  again(unsent: Unsent): void
  drop(unsent: Unsent): void
  /** Takes up what this person had on its way when the page was left: its key makes a second sending the same message. */
  restore(person: string): void
  /** Fetches the messages before the first one that is shown. */
  earlier(): Promise<void>
}

/** Milliseconds until the next look where the model is away: it may be hours. */
const waitingPause = 20_000
const pageSize = 50
const kept = 'unsent'

export function createConversation(page: View): Conversation {
  const thread = emptyThread()
  let person = ''
  const view: View = {
    ...page,
    changed() {
      // In this tab alone, and only while it is on its way.
      if (person !== '') sessionStorage.setItem(kept, JSON.stringify({ person, unsent: thread.unsent }))
      page.changed(thread)
    },
  }
  let lastId = ''
  let following = false
  let wanted = false
  let later: ReturnType<typeof setTimeout> | undefined

  const follow = async (): Promise<void> => {
    wanted = true
    if (following) return
    following = true
    clearTimeout(later)
    let tries = 0
    while (wanted) {
      try {
        const end = await readStream(() => {
          if (tries > 0) view.away(null)
          tries = 0
        })
        if (end === 'waiting') later = setTimeout(() => void follow(), waitingPause)
        // A stream that ended by its time goes on at once, from the last id.
        if (end === 'cut') wanted = true
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) {
          following = false
          return view.signedOut()
        }
        if (!isPassing(error)) throw error
        tries += 1
        wanted = true
        view.away(tries)
        await pause(Math.min(8_000, 250 * 2 ** tries))
      }
    }
    following = false
    await lookAfterSent()
  }

  const readStream = async (alive: () => void): Promise<'idle' | 'waiting' | 'cut'> => {
    for await (const { id, type, data } of openEvents(lastId)) {
      alive()
      wanted = false
      const value = JSON.parse(data)
      if (type === 'opened') open(value)
      if (type === 'progress') view.working(value)
      if (type === 'message') {
        lastId = id
        enter(thread, value)
        view.changed(thread)
      }
      if (type === 'idle') {
        if (!value.waiting) view.working(null)
        return value.waiting ? 'waiting' : 'idle'
      }
    }
    return 'cut'
  }

  const open = (opened: Opened): void => {
    if (thread.session !== opened.session_id) {
      // Another conversation: what was said in the one before is history.
      thread.session = opened.session_id
      thread.messages.clear()
      view.changed(thread)
    }
    view.opened(opened)
  }

  /** A message that was taken and is in no conversation: it was answered before it got into one. */
  const lookAfterSent = async (): Promise<void> => {
    for (const unsent of thread.unsent.filter(({ state }) => state === 'sent')) {
      const answer = await (await call(`/api/v1/requests/${unsent.request}`, {}, { waiting: view.away })).json()
      if (answer.status !== 'failed' && answer.status !== 'completed') continue
      if (!thread.unsent.includes(unsent)) continue
      Object.assign(unsent, { state: 'failed', why: answer.response?.content ?? null })
      view.changed(thread)
    }
  }

  const transmit = async (unsent: Unsent): Promise<void> => {
    const body = {
      content: unsent.content,
      attachments: unsent.attachments.map(({ id }) => id),
      ...(unsent.approval === null ? {} : { approval_id: unsent.approval }),
    }
    try {
      const more = { 'idempotency-key': unsent.key, prefer: 'respond-async' }
      const answer = await post('/api/v1/requests/web', body, more, { waiting: view.away })
      view.away(null)
      Object.assign(unsent, { state: 'sent', request: answer.request_id })
      settle(thread)
      await follow()
    } catch (error) {
      view.away(null)
      if (error instanceof Refusal && error.status === 401) view.signedOut()
      else if (!(error instanceof Refusal || error instanceof TypeError)) throw error
      const why = error instanceof Refusal && !isPassing(error) ? error.message : 'The service did not answer.'
      Object.assign(unsent, { state: 'failed', why })
    }
    view.changed(thread)
  }

  return {
    thread,
    follow,
    send(content, approval, attachments) {
      const at = new Date().toISOString()
      const unsent: Unsent = {
        ...{ key: crypto.randomUUID(), content, approval, attachments, at },
        ...{ state: 'sending', request: null, why: null },
      }
      thread.unsent.push(unsent)
      view.changed(thread)
      void transmit(unsent)
    },
    again(unsent) {
      Object.assign(unsent, { state: 'sending', why: null })
      view.changed(thread)
      void transmit(unsent)
    },
    drop(unsent) {
      thread.unsent = thread.unsent.filter((one) => one !== unsent)
      view.changed(thread)
    },
    restore(of) {
      const found = JSON.parse(sessionStorage.getItem(kept) ?? 'null')
      person = of
      if (found?.person !== of) return
      for (const unsent of found.unsent) {
        thread.unsent.push(unsent)
        if (unsent.state !== 'failed') void transmit(unsent)
      }
      settle(thread)
      view.changed(thread)
    },
    async earlier() {
      const first = inOrder(thread)[0]
      if (first === undefined || thread.session === null) return
      const after = Math.max(0, first.number - 1 - pageSize)
      const path = `/api/v1/conversations/${thread.session}?after=${after}&limit=${first.number - 1 - after}`
      const page: { messages: Message[] } = await (await call(path, {}, { waiting: view.away })).json()
      view.away(null)
      for (const message of page.messages) enter(thread, { ...message, channel: null, agent: null, offer: null })
      view.changed(thread)
    },
  }
}
