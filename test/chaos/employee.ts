import { setTimeout as pause } from 'node:timers/promises'
import { finished } from '../../functions/ingress/bodies.ts'

/** What an employee said, and what they got for it. */
export interface Said {
  key: string
  words: string
  status: 'completed' | 'failed'
  answer: string
}

export interface Talk {
  said: Said[]
  /** What was offered in the question that got the last yes. */
  approved: string | null
  over: boolean
}

/** How an employee reaches the door. */
export interface Door {
  url: string
  token: string
}

/** Milliseconds after which a person presses "send" once more. */
const patienceMs = 6_000

/**
 * Says something over the API and waits for its answer, as a careful client does: the same Idempotency-Key again
 * whenever the connection breaks, the door fails or nothing comes.
 * @throws Error where the door refuses it, or where no answer comes at all
 */
export async function say(door: Door, key: string, words: string, longestMs: number): Promise<Said> {
  const deadline = Date.now() + longestMs
  let why = 'nothing'
  while (Date.now() < deadline) {
    try {
      const response = await post(door, key, words)
      const text = await response.text()
      if (response.status === 200) {
        const { status, response: answer } = finished.parse(JSON.parse(text))
        return { key, words, status, answer: answer?.content ?? '' }
      }
      why = `${response.status} ${text.slice(0, 300)}`
      if (response.status >= 400 && response.status < 500) throw new Refusal(`"${words}" was refused: ${why}`)
    } catch (error) {
      if (error instanceof Refusal) throw error
      why = error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error)
    }
    await pause(50)
  }
  throw new Error(`"${words}" got no answer in ${longestMs / 1_000} s; the last try: ${why}`)
}

class Refusal extends Error {}

export function post(door: Door, key: string, words: string): Promise<Response> {
  return fetch(`${door.url}/api/v1/requests`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${door.token}`,
      'content-type': 'application/json',
      'idempotency-key': `"${key}"`,
      prefer: 'wait=5',
    },
    body: JSON.stringify({ content: words }),
    signal: AbortSignal.timeout(patienceMs),
  })
}

interface Reply {
  words: string
  /** Whether it is a yes, and to which laptop. */
  approves?: string
}

/** What an employee answers to what: first in words of their own, which a model has to understand, then plainly. */
const rules: { asked: RegExp; says: readonly [string, ...string[]] }[] = [
  { asked: /see the laptops[^?]*\?[^?]*$/, says: ['show me which notebooks I could choose', 'yes'] },
  { asked: /Shall I open the ticket for [^?]*\? \(yes or no\)\s*$/, says: ['yes please, go ahead'] },
  { asked: /\(yes or no\)[^?]*$/, says: ['no'] },
  { asked: /Which one would you like\b[\s\S]*$/, says: ['the thinkpad for general office people', '3'] },
  { asked: /Would you like another laptop from the list\?[\s\S]*$/, says: ['1'] },
]

/** An employee who wants a new laptop, takes what is offered, and remembers what was said. */
export function createEmployee() {
  const heard = new Map<RegExp, number>()
  return {
    /** What they say next to an agent's answer; null when they have what they want. */
    reply(answer: string): Reply | null {
      if (/Ticket \*\*REQ\d{7}\*\* is open/.test(answer)) return null
      const rule = rules.find(({ asked }) => asked.test(answer))
      if (rule === undefined) return { words: 'laptop refresh' }
      const times = heard.get(rule.asked) ?? 0
      heard.set(rule.asked, times + 1)
      const words = rule.says[times] ?? rule.says.at(-1) ?? rule.says[0]
      const offered = /(?:You picked|open the ticket for) the \*\*([^*]+)\*\*/.exec(answer)?.[1]
      return words.startsWith('yes please') && offered !== undefined ? { words, approves: offered } : { words }
    },
  }
}
