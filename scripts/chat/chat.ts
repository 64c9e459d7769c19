import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod/mini'
import { plainText } from './plain-text.ts'

/** A sentence for the person at the terminal; everything else that is thrown is a defect. */
export class Trouble extends Error {}

/** The API took the caller but not this one message; the next may do. */
export class Refused extends Trouble {}

/** What is wrong with a message alone: its form, its size, a key used twice. */
const ofTheMessage = [400, 413, 422]

const answer = z.object({
  request_id: z.string(),
  status: z.enum(['completed', 'failed', 'accepted']),
  response: z.nullish(z.object({ content: z.string() })),
})
export type Answer = z.infer<typeof answer>

const awaited = z.object({
  approvals: z.array(z.object({ id: z.string(), state: z.string(), request_id: z.nullable(z.string()) })),
})
/** What somebody else decides about this person's requests. */
export type AwaitedDecision = z.infer<typeof awaited>['approvals'][number]

const problem = z.object({ title: z.string(), detail: z.string(), code: z.string() })

/** One person's end of the conversation. */
export class Chat {
  readonly #api: URL
  readonly #tokenFor: (email: string) => Promise<string>
  email: string

  constructor(api: URL, email: string, tokenFor: (email: string) => Promise<string>) {
    this.#api = api
    this.#tokenFor = tokenFor
    this.email = email
  }

  /** Sends a message and waits for its answer, five minutes at most. */
  async ask(content: string, signal: AbortSignal): Promise<Answer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(300_000)])
    const body = JSON.stringify({ integration_type: 'CLI', user_id: this.email, content })
    const reply = await this.#fetch(answer, '/api/v1/requests/cli', { method: 'POST', body }, deadline)
    return reply.status === 'accepted' ? await this.answerTo(reply.request_id, deadline) : reply
  }

  /** Waits for the answer to a request that was accepted before. */
  async answerTo(request: string, signal: AbortSignal): Promise<Answer> {
    for (;;) {
      const reply = await this.#fetch(answer, `/api/v1/requests/${request}`, {}, signal)
      if (reply.status !== 'accepted') return reply
      await pause(250, undefined, { signal })
    }
  }

  /** What others decide about this person's requests: what is waited for, and what was decided; the newest first. */
  async awaited(signal: AbortSignal): Promise<AwaitedDecision[]> {
    return (await this.#fetch(awaited, '/api/v1/approvals/awaited', {}, signal)).approvals
  }

  async #fetch<T extends z.ZodMiniType>(
    schema: T,
    path: string,
    init: RequestInit,
    signal: AbortSignal,
  ): Promise<z.infer<T>> {
    const authorization = `Bearer ${await this.#tokenFor(this.email)}`
    const headers = { authorization, 'content-type': 'application/json', prefer: 'wait=60' }
    const response = await fetch(new URL(path, this.#api), { ...init, headers, signal, redirect: 'error' }).catch(
      (cause: unknown) => {
        if (signal.aborted) throw cause
        throw new Trouble(`The API at ${this.#api.origin} is not up: start the demo first: make demo`, { cause })
      },
    )
    const value: unknown = await response.json().catch(() => null)
    if (!response.ok) {
      const known = problem.safeParse(value)
      if (known.success && ofTheMessage.includes(response.status)) {
        throw new Refused(plainText(`${known.data.detail} (${response.status} ${known.data.code})`))
      }
      const reason = known.success
        ? `${known.data.title} (${known.data.code}): ${known.data.detail}`
        : 'no reason given'
      throw new Trouble(plainText(`The API refused this with ${response.status}: ${reason}`))
    }
    const parsed = schema.safeParse(value)
    if (!parsed.success) throw new Trouble(`What answers at ${this.#api.origin} is not this API.`)
    return parsed.data
  }
}

/** What a terminal shows of an answer. */
export function textOf(reply: Answer): string {
  return plainText(reply.response?.content ?? 'This could not be finished.')
}
