import { setTimeout as pause } from 'node:timers/promises'
import { type AwaitedDecision, type Chat, Trouble, textOf } from './chat.ts'

/** Milliseconds between the first two looks, and between two looks at the most. */
const firstPause = 1_000
const longestPause = 15_000

/** Shows what comes of other people's decisions on a person's requests, each once. */
export interface Decisions {
  /**
   * Looks at once, and then ever more seldom for as long as something is waited for, until the signal aborts. What was
   * decided before the very first look is taken as known.
   */
  follow(show: (text: string) => void, signal: AbortSignal): Promise<void>
}

export function followDecisions(chat: Chat): Decisions {
  let known: Set<string> | null = null
  let whose = ''

  /** Whether something is still waited for. */
  const look = async (show: (text: string) => void, signal: AbortSignal): Promise<boolean> => {
    const { email } = chat
    const found = await chat.awaited(signal)
    if (known === null || whose !== email) known = new Set(found.filter(isDecided).map(({ id }) => id))
    whose = email
    for (const { id, request_id } of found.filter(isDecided).reverse()) {
      if (known.has(id)) continue
      const answer = request_id === null ? null : await chat.answerTo(request_id, signal)
      signal.throwIfAborted()
      if (answer !== null) show(textOf(answer))
      known.add(id)
    }
    return found.some((each) => !isDecided(each))
  }

  return {
    async follow(show, signal) {
      try {
        let waited = true
        for (let ms = firstPause; waited; ms = Math.min(ms * 1.5, longestPause)) {
          waited = await look(show, signal).catch((error: unknown) => {
            // An API that is away is told of when the person asks something; until then it may come back.
            if (error instanceof Trouble) return true
            throw error
          })
          if (waited) await pause(ms, undefined, { signal })
        }
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

function isDecided({ state }: AwaitedDecision): boolean {
  return state !== 'open'
}
