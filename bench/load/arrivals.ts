import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod/mini'
import { accepted, finished } from '../../functions/ingress/bodies.ts'

/** One message as its sender knows it. */
export interface Sent {
  person: string
  /** 1 and up: its place among the person's messages. */
  place: number
  content: string
  /** When it was due to be sent, in milliseconds since 1970: what its answer's time counts from. */
  due: number
  request: string
  /** Tries that the door refused or lost before the one that it took. */
  refused: number
  /** When the sender had the answer; null where it did not wait. */
  answered: number | null
}

export interface Door {
  url: string
  tokenOf(person: string): Promise<string>
}

const either = z.union([finished, accepted])

/** Sends a person's messages one after the other, each as soon as the last one is answered. */
export async function sendWaiting(door: Door, person: string, contents: readonly string[], signal: AbortSignal) {
  const sent: Sent[] = []
  for (const [index, content] of contents.entries()) {
    const due = Date.now()
    const first = await insist(door, { person, place: index + 1, content }, 'wait=30', signal)
    let { reply } = first
    while (reply.status === 'accepted') {
      const { status, text } = await call(door, person, 'GET', `/api/v1/requests/${reply.request_id}`, 'wait=30', null)
      if (status === 200 || status === 202) reply = either.parse(JSON.parse(text))
      else await pause(250, undefined, { signal })
    }
    const answered = Date.now()
    sent.push({
      ...{ person, place: index + 1, content, due, answered },
      request: reply.request_id,
      refused: first.refused,
    })
  }
  return sent
}

/**
 * Sends a person's messages at their own times, whether or not the ones before are answered; only the order of a
 * person's messages is kept, as a person's own hands keep it.
 */
export async function sendInTime(
  door: Door,
  person: string,
  contents: readonly { content: string; due: number }[],
  signal: AbortSignal,
): Promise<Sent[]> {
  const sent: Sent[] = []
  for (const [index, { content, due }] of contents.entries()) {
    await pause(Math.max(0, due - Date.now()), undefined, { signal })
    const { reply, refused } = await insist(door, { person, place: index + 1, content }, 'respond-async', signal)
    sent.push({ ...{ person, place: index + 1, content, due, refused }, request: reply.request_id, answered: null })
  }
  return sent
}

/** Sends a message until the door takes it, under one key, so that a try whose answer was lost is the same request. */
async function insist(
  door: Door,
  message: { person: string; place: number; content: string },
  prefer: string,
  signal: AbortSignal,
): Promise<{ reply: z.infer<typeof either>; refused: number }> {
  const { person, place, content } = message
  for (let refused = 0; ; refused += 1) {
    signal.throwIfAborted()
    const body = JSON.stringify({ content })
    const { status, text } = await call(door, person, 'POST', '/api/v1/requests', prefer, {
      body,
      key: `${place}`,
    }).catch(() => ({ status: 0, text: '' }))
    if (status === 200 || status === 202) return { reply: either.parse(JSON.parse(text)), refused }
    if (status >= 400 && status < 500 && status !== 429) throw new Error(`the door answered ${status}: ${text}`)
    await pause(250, undefined, { signal })
  }
}

const agent = new Agent({ keepAlive: true, timeout: 100_000 })

/** node:http rather than fetch: the sender shares its processors with what it measures. */
async function call(
  door: Door,
  person: string,
  method: string,
  path: string,
  prefer: string,
  sent: { body: string; key: string } | null,
): Promise<{ status: number; text: string }> {
  const token = await door.tokenOf(person)
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, prefer }
  if (sent !== null) {
    headers['content-type'] = 'application/json'
    headers['idempotency-key'] = `"${sent.key}"`
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, door.url), { method, headers, agent }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('error', reject)
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    outgoing.once('error', reject)
    outgoing.end(sent?.body)
  })
}
