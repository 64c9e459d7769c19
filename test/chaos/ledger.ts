import type { Exchange } from './service.ts'
import { keyOf } from './strike.ts'

interface Entry {
  exchange: Exchange
  reply: string
}

/** Which event got which reply: law 1 says that it is the same one however often it is delivered. */
export function createLedger() {
  const entries = new Map<string, Entry>()
  return {
    /** Takes an answer down; a sentence where the same event got another reply before. */
    answered(exchange: Exchange): string | null {
      const { answer, pid, headers } = exchange
      if (answer === null || pid === null || answer.status >= 300 || headers['ce-id'] === undefined) return null
      const reply = JSON.stringify([answer.status, attributesOf(answer.headers), answer.body])
      const key = keyOf(exchange)
      const first = entries.get(key)
      if (first === undefined) entries.set(key, { exchange, reply })
      else if (first.reply !== reply) return `${key} was answered ${first.reply} and then ${reply}`
      return null
    },
    /** All of them in another order than they came. */
    firstAnswers(random: () => number): Entry[] {
      return [...entries.values()]
        .map((entry) => ({ entry, place: random() }))
        .sort((one, other) => one.place - other.place)
        .map(({ entry }) => entry)
    },
  }
}

function attributesOf(headers: Exchange['headers']): [string, unknown][] {
  return Object.entries(headers)
    .filter(([name]) => name.startsWith('ce-'))
    .sort(([one], [other]) => one.localeCompare(other))
}
