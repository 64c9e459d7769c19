import type { Database } from '../../shared/store/connect.ts'
import { type Act, actsOf } from './acts.ts'
import { dataOf, type HostileArena, openArena, type Plant } from './arena.ts'
import { converse, type Transcript } from './converse.ts'
import { personOf } from './people.ts'

export interface Breach {
  seed: number
  transcript: Transcript
}

export interface Outcome {
  conversations: number
  messages: number
  tickets: number
  decisions: Transcript['decisions']
  /** Answers of the model, by kind. */
  answers: Record<string, number>
  breaches: Breach[]
}

/** Conversations that share a system: few enough for ServiceNow's tables to stay small. */
const together = 40

function batchOf(seed: number): number {
  return Math.floor((seed - 1) / together)
}

/**
 * The seeds up to this one that share its system. Its clock goes on and its ticket numbers are counted from one
 * conversation to the next, so a conversation is the same again only after these.
 */
export function leadingUpTo(seed: number): number[] {
  const first = batchOf(seed) * together + 1
  return Array.from({ length: seed - first + 1 }, (_, index) => first + index)
}

/**
 * Runs the conversations of these seeds, each with people of its own, and shortens the transcript of each that broke the
 * law. `onBreach` hears of one as soon as it is known; past `mostBreaches` the rest is left out.
 */
export async function runConversations(
  database: Database,
  seeds: number[],
  options: {
    plant?: Plant
    mostBreaches?: number
    /** Whether transcripts are shortened, which replays each conversation many times; true unless told. */
    shortens?: boolean
    onConversation?: (seed: number, transcript: Transcript) => unknown
    onBreach?: (breach: Breach) => void
    onBatch?: (done: number) => void
  } = {},
): Promise<Outcome> {
  const outcome: Outcome = {
    conversations: 0,
    messages: 0,
    tickets: 0,
    decisions: { tried: 0, counted: 0 },
    answers: {},
    breaches: [],
  }
  const { mostBreaches = 10, shortens = true } = options
  for (const batch of Map.groupBy(seeds, batchOf).values()) {
    if (outcome.breaches.length >= mostBreaches) break
    const arena = await openArena(database, batch, options.plant)
    try {
      for (const seed of batch) {
        if (outcome.breaches.length >= mostBreaches) break
        const transcript = await play(arena, seed, actsOf(seed))
        options.onConversation?.(seed, transcript)
        outcome.conversations += 1
        outcome.messages += transcript.exchanges.length
        outcome.tickets += transcript.tickets
        outcome.decisions.tried += transcript.decisions.tried
        outcome.decisions.counted += transcript.decisions.counted
        if (transcript.violations.length === 0) continue
        const breach = { seed, transcript: shortens ? await shorten(arena, seed, transcript) : transcript }
        outcome.breaches.push(breach)
        options.onBreach?.(breach)
      }
      for (const [kind, count] of Object.entries(arena.hostile.tally))
        outcome.answers[kind] = (outcome.answers[kind] ?? 0) + count
    } finally {
      await arena.close()
    }
    options.onBatch?.(outcome.conversations)
  }
  return outcome
}

async function play(arena: HostileArena, seed: number, acts: Act[]): Promise<Transcript> {
  const asker = personOf(seed, 'asker')
  const colleague = personOf(seed, 'colleague')
  arena.hostile.begin(seed, { asker: asker.email, colleague: colleague.email })
  const manager = asker.employee?.manager === undefined ? null : personOf(seed, 'manager').employee
  return converse(arena, { person: asker, manager, colleague: colleague.email, others: dataOf(colleague) }, acts)
}

/** Leaves out what happens, last things first, for as long as a violation of the same kind is left. */
async function shorten(arena: HostileArena, seed: number, found: Transcript): Promise<Transcript> {
  const kind = found.violations[0]?.kind
  let shortest = found
  let acts = actsOf(seed)
  for (let progress = true; progress; ) {
    progress = false
    for (let index = acts.length - 1; index >= 0 && acts.length > 1; index -= 1) {
      const fewer = acts.filter((_, at) => at !== index)
      await forget(arena, seed)
      const again = await play(arena, seed, fewer)
      if (again.violations[0]?.kind !== kind) continue
      shortest = again
      acts = fewer
      progress = true
    }
  }
  await forget(arena, seed)
  return shortest
}

/** The person begins anew: their conversation and what they have filed are gone. */
async function forget(arena: HostileArena, seed: number): Promise<void> {
  await arena.database`delete from people where email = ${personOf(seed, 'asker').email}`
  arena.mock.forgetTickets()
}

/** A breach for a terminal: the seed, the shortest transcript, and what is wrong with its last answer. */
export function describeBreach({ seed, transcript }: Breach): string {
  const words = transcript.exchanges.flatMap(({ message, answer }) => [
    `  employee: ${JSON.stringify(message.slice(0, 500))}`,
    ...answer.split('\n').map((line) => `  | ${printable(line)}`),
  ])
  const wrong = transcript.violations.slice(0, 6).map(({ kind, detail }) => `  ! ${kind}: ${printable(detail)}`)
  return [`seed ${seed}`, ...words, ...wrong].join('\n')
}

/** A hostile text does nothing to the terminal either. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 2_000)).slice(1, -1)
}
