import * as z from 'zod/mini'
import { apology, catalogue, type FaultCode } from '../../../shared/errors/catalogue.ts'
import { type Chain, chainOf, type Event } from '../../../shared/events/event.ts'
import { type Command, readCommand } from '../../../shared/flow/index.ts'
import type { RecordedStep, RecordedTurn } from '../../../shared/store/recorded-turn.ts'
import { isTraceparent } from '../../../shared/telemetry/traceparent.ts'
import { type Answer, responseOf } from '../../../shared/turn/answer-turn.ts'
import { commandAnswer } from '../answer-command.ts'
import { spentSentence } from '../answer-spent.ts'
import { answerOf } from '../commit-step.ts'
import { silence, silentAnswer } from '../person.ts'
import type { Walked } from '../walk-flow.ts'
import type { Note } from './recorded-outside.ts'

/** An answer made again, and the moment at which it was given. */
interface Repeated {
  answer: Answer
  at: Date
}

const backFrom = z.object({ ticket: z._default(z.string(), '') })
const usage = z.object({
  ...{ input: z.int(), output: z.int(), calls: z.int() },
  ...{ maxInput: z.int(), maxOutput: z.int(), maxTotal: z.int() },
})

/** The answer to a command: it comes of the command and of what the session had used. */
export function repeatCommand({ turn }: RecordedTurn, step: RecordedStep): Repeated | null {
  const silent = silence.safeParse(step.answer)
  if (silent.success) return { answer: silentAnswer(silent.data), at: step.finishedAt }
  const command: Command | null = readCommand(turn.content)
  const used = usage.safeParse(step.answer)
  if (command === null || command !== step.name || !used.success) return null
  const { ticket } = backFrom.parse(step.answer)
  return { answer: commandAnswer(command, used.data, ticket === '' ? null : ticket), at: step.finishedAt }
}

/** The answer that the last step gives. */
export function repeatAnswer(recorded: RecordedTurn, last: Walked | undefined): Repeated | null {
  const step = recorded.steps.at(-1)
  if (last === undefined || step === undefined) return null
  // What this step said stands in `said` already, and is the last of it.
  const said = recorded.turn.said.slice(0, recorded.turn.said.length - last.said.length)
  return { answer: answerOf({ ...recorded.turn, agent: step.agent, said }, last), at: step.finishedAt }
}

/** The answer of a turn that was given up: the sentence of the fault that it names. */
export function repeatFailure({ turn, response, finishedAt }: RecordedTurn): Repeated | null {
  const code = codeIn(response)
  if (code === null || finishedAt === null) return null
  const ticket = code === 'flow.budget-spent' ? ticketIn(response) : null
  return {
    answer: {
      state: 'failed',
      content: ticket === null ? (catalogue[code].says ?? apology) : spentSentence(ticket),
      agent: turn.agent,
      type: 'error',
      requiresFollowup: false,
      metadata: { error_code: code, ...(ticket === null ? {} : { handoff: ticket }) },
      conversation: 'keep',
    },
    at: finishedAt,
  }
}

/** The fault for which the turn was given up, where its answer names one of ours. */
export function codeIn(response: string | null): FaultCode | null {
  const parsed = z
    .object({ data: z.object({ metadata: z.object({ error_code: z.string() }) }) })
    .safeParse(readEvent(response))
  const named = parsed.success ? parsed.data.data.metadata.error_code : null
  return Object.keys(catalogue).find((code): code is FaultCode => code === named) ?? null
}

/** The ticket with which a person took over. */
function ticketIn(response: string | null): string | null {
  const named = z
    .object({ data: z.object({ metadata: z.object({ handoff: z.string() }) }) })
    .safeParse(readEvent(response))
  return named.success ? named.data.data.metadata.handoff : null
}

/**
 * Holds the answer made again against what is stored: the response-ready event byte for byte, the history and the
 * deliveries. The hop count and the trace are of the events that led there, and are taken from the stored event.
 */
export function compareResponse(recorded: RecordedTurn, repeated: Repeated | null, note: Note): void {
  const { turn, response } = recorded
  const stored = readEvent(response)
  if (response === null || stored === null || repeated === null) {
    note('The stored answer is none that this turn can have', response, undefined)
    return
  }
  const { answer, at } = repeated
  const event = responseOf(turn, answer, {
    chain: chainBefore(stored, turn.request),
    source: sourceOf(recorded, stored),
    now: at,
  })
  note('The stored answer (its response-ready event) is another', stored, event)
  if (response !== JSON.stringify(event)) note('The stored answer has other bytes', response, JSON.stringify(event))
  if (hasOtherTrace(recorded, stored))
    note('The stored answer is of another trace', recorded.traceparent, stored['traceparent'])
  note("The conversation's history holds another answer", recorded.answers, [answer.content])
  for (const { target, content } of recorded.delivered) {
    note(`Another answer was delivered to ${target}`, content, answer.content)
  }
}

/** Null for a text that is no event: then it was changed since. */
function readEvent(text: string | null): Event | null {
  try {
    const event: unknown = JSON.parse(text ?? 'null')
    return typeof event === 'object' && event !== null && 'data' in event ? (event as Event) : null
  } catch {
    return null
  }
}

function chainBefore(response: Event, request: string): Chain {
  const { traceparent, hops } = chainOf(response)
  return { correlation: request, traceparent, hops: hops - 1 }
}

/** A flow's answer comes from the agent; a turn that failed may have been given up by either. */
function sourceOf({ turn }: RecordedTurn, response: Event): string {
  return turn.state === 'failed' && response.source === '/keeper' ? '/keeper' : '/agent'
}

/** A tick that takes a turn up again, or closes it, begins a trace of its own. */
function hasOtherTrace({ traceparent, releases }: RecordedTurn, response: Event): boolean {
  if (releases > 0 || response.source !== '/agent' || !isTraceparent(traceparent)) return false
  return String(response['traceparent']).slice(0, 35) !== traceparent.slice(0, 35)
}
