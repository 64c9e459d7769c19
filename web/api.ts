import { createEventReader, type ServerEvent } from './sse.ts'

export interface Attachment {
  id: string
  name: string
  media_type: string
  bytes: number
}

export type Offer =
  | { kind: 'choices'; choices: { title: string; reply: string }[] }
  | { kind: 'approval'; id: string; expiresAt: string }

export interface Message {
  number: number
  role: 'employee' | 'approver' | 'agent' | 'system'
  content: string
  request_id: string | null
  channel: string | null
  agent: string | null
  offer: Offer | null
  created_at: string
  attachments: Attachment[]
}

/** An answer of the door that is none of the good ones. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** Worth another try: the function wakes, is full, or the network was away. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504])
const headers = { 'x-requested-with': 'chat' }

export interface Patience {
  /** Told before each pause, with how often it was tried. */
  waiting(tries: number): void
  signal?: AbortSignal
}

/** One call. @throws Refusal, or TypeError where the network is away */
async function callOnce(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, headers: { ...headers, ...init.headers }, credentials: 'same-origin' })
  if (response.ok) return response
  const problem: { code?: string; detail?: string } = await response.json().catch(() => ({}))
  throw new Refusal(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? `The service answered ${response.status}.`,
  )
}

export function isPassing(error: unknown): boolean {
  return error instanceof Refusal ? passing.has(error.status) : error instanceof TypeError
}

/** A call that waits while the function wakes: up to half a minute, with longer pauses; the last error is thrown. */
export async function call(path: string, init: RequestInit, patience: Patience): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await callOnce(path, { ...init, ...(patience.signal ? { signal: patience.signal } : {}) })
    } catch (error) {
      if (!isPassing(error) || tries >= 8) throw error
      patience.waiting(tries)
      await pause(Math.min(8_000, 300 * 2 ** (tries - 1)) * (0.75 + Math.random() / 2))
    }
  }
}

export async function post(path: string, body: object, more: Record<string, string>, patience: Patience) {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...more } }
  return await (await call(path, init, patience)).json()
}

/** The events from `lastId` on, until the stream ends. @throws Refusal, TypeError */
export async function* openEvents(lastId: string): AsyncGenerator<ServerEvent> {
  const response = await callOnce('/api/v1/events', { headers: lastId === '' ? {} : { 'last-event-id': lastId } })
  if (response.body === null) return
  const read = createEventReader(lastId)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield* read(piece.value)
  } finally {
    // What is left is of no use to whoever stopped reading.
    await reader.cancel().catch(() => {})
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
