import { setTimeout as pause } from 'node:timers/promises'
import { findSent } from '../../shared/attachments/rows.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findProgress, type Place, type Progress, type ShownMessage } from '../../shared/store/progress.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { describeAttachment } from './attachments.ts'
import { createBatch } from './batch.ts'

export interface EventsParts {
  database: Database
  now(): Date
  log: Log
  /** What a message may bring along; null: no files. */
  files: { limit: number; types: readonly string[] } | null
  /** Bytes of text that one message may have. */
  messageLimit: number
  /** Milliseconds that a stream lives at most; default a minute. */
  longestMs?: number
}

export interface EventStreams {
  /** Opens a stream of what happens in the caller's open conversation. @throws Fault `identity.forbidden`, `events.too-many` */
  open(request: Request, caller: Caller): Response
  /** Ends every stream. */
  stop(): void
  count(): number
}

/** Streams that one person may have on one instance: every tab of theirs has one while a turn is open. */
const streamsOfOne = 12
const betweenLooks = 25
const sayAliveMs = 15_000
const afterHiccup = 500
const headers = {
  'content-type': 'text/event-stream',
  // Proxies that collect an answer before they pass it on are asked not to.
  'x-accel-buffering': 'no',
}

/** Milliseconds between two looks for a stream that old: most answers come soon. */
function pauseAt(age: number): number {
  if (age < 3_000) return 60
  return age < 15_000 ? 200 : 500
}

/**
 * Server-sent events (HTML, section 9.2) while a turn is open: first what the reader has not seen (by Last-Event-ID),
 * then each message and step as it comes. The stream ends by itself with `idle` once nothing is under way, and after a
 * minute in any case, from when the reader goes on with the last id (law 7).
 */
export function createEventStreams(parts: EventsParts): EventStreams {
  const { database, longestMs = 60_000 } = parts
  const look = createBatch({
    find: (places: readonly Place[]) => findProgress(database, places),
    pauseMs: betweenLooks,
  })
  const open = new Map<AbortController, string>()
  let stopped = false

  return {
    open(request, caller) {
      if (caller.kind !== 'person' || caller.email === null) {
        throw new Fault('identity.forbidden', 'only a person has a conversation to follow')
      }
      const { email } = caller
      if ([...open.values()].filter((of) => of === email).length >= streamsOfOne) {
        throw new Fault('events.too-many', `at most ${streamsOfOne} at once`, { retryAfter: 5 })
      }
      if (request.method === 'HEAD') return new Response(null, { headers })
      const ending = new AbortController()
      if (stopped) ending.abort()
      open.set(ending, email)
      const signal = AbortSignal.any([ending.signal, request.signal])
      const lines = follow(parts, look, { place: { email, ...readLastId(request.headers) }, signal, longestMs })
      const encoder = new TextEncoder()
      const close = (): void => {
        open.delete(ending)
        ending.abort()
      }
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const { value, done } = await lines.next()
            if (!done) return controller.enqueue(encoder.encode(value))
            close()
            controller.close()
          } catch (error) {
            close()
            controller.error(error)
          }
        },
        cancel: close,
      })
      // A reader that leaves before the first byte was asked for is nobody who cancels.
      signal.addEventListener('abort', close, { once: true })
      return new Response(body, { headers })
    },
    stop() {
      stopped = true
      for (const ending of [...open.keys()]) ending.abort()
    },
    count: () => open.size,
  }
}

interface Reading {
  place: Place
  signal: AbortSignal
  longestMs: number
}

/** The text of one stream, piece by piece. */
async function* follow(
  parts: EventsParts,
  look: (place: Place) => Promise<Progress>,
  { place, signal, longestMs }: Reading,
): AsyncGenerator<string, void> {
  const since = performance.now()
  let { session, after } = place
  let shown = ''
  let opened = false
  let spokeAt = since
  while (!signal.aborted && performance.now() - since < longestMs) {
    const progress = await lookOrNull(parts, look, { email: place.email, session, after })
    if (progress === null) {
      await wait(afterHiccup, signal)
      continue
    }
    const pieces: string[] = []
    if (!opened || progress.session !== session) {
      pieces.push(write('opened', describeConversation(parts, place.email, progress)))
      if (progress.session !== session) after = null
      opened = true
      session = progress.session
      shown = ''
    }
    if (session !== null) pieces.push(...(await writeMessages(parts, session, progress.messages)))
    after = progress.messages.at(-1)?.number ?? after ?? 0
    const work = JSON.stringify(progress.work)
    if (work !== shown) {
      if (progress.work !== null) pieces.push(write('progress', progress.work))
      shown = work
    }
    // Whoever waits for a model that is away looks again later: that may be hours.
    const idle = (progress.work === null || progress.work.state === 'waiting') && progress.messages.length === 0
    if (idle) pieces.push(write('idle', { waiting: progress.work !== null }))
    if (pieces.length === 0 && performance.now() - spokeAt > sayAliveMs) pieces.push(': still here\n\n')
    if (pieces.length > 0) {
      spokeAt = performance.now()
      yield pieces.join('')
    }
    if (idle) return
    if (progress.messages.length === 0) await wait(pauseAt(performance.now() - since), signal)
  }
}

/** Null where the store cannot be asked now: the reader only waits longer. */
async function lookOrNull(
  { log }: EventsParts,
  look: (place: Place) => Promise<Progress>,
  place: Place,
): Promise<Progress | null> {
  try {
    return await look(place)
  } catch (error) {
    log.warn('a conversation cannot be looked at; its reader waits', { error })
    return null
  }
}

async function writeMessages(
  { database, now }: EventsParts,
  session: string,
  messages: readonly ShownMessage[],
): Promise<string[]> {
  const requests = messages.flatMap(({ request }) => request ?? [])
  const sent = requests.length === 0 ? null : await findSent(database, requests, now())
  return messages.map(({ createdAt, metadata, request, ...message }) =>
    write(
      'message',
      {
        ...message,
        request_id: request,
        offer: metadata['offer'] ?? null,
        created_at: createdAt.toISOString(),
        attachments: (request === null ? [] : (sent?.get(request) ?? [])).map(describeAttachment),
      },
      `${session}/${message.number}`,
    ),
  )
}

function describeConversation({ files, messageLimit }: EventsParts, email: string, progress: Progress): object {
  return { person: email, session_id: progress.session, agent_id: progress.agent, message_limit: messageLimit, files }
}

/** One event. JSON has no line break outside its texts, where it spells them, so one data line holds it. */
function write(event: string, data: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** What cannot be read as one of our ids is none: the reader gets the newest messages. */
function readLastId(headers: Headers): { session: string | null; after: number | null } {
  const [, session, number] = /^([0-9a-f-]{36})\/(\d{1,9})$/.exec(headers.get('last-event-id') ?? '') ?? []
  return session === undefined ? { session: null, after: null } : { session, after: Number(number) }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  // Ended meanwhile: the loop sees it.
  await pause(ms, undefined, { signal }).catch(() => {})
}
