import { cpus, loadavg, totalmem } from 'node:os'
import type { Sent } from './arrivals.ts'
import { groupBy, waits } from './judge.ts'
import type { Outcome, RequestRow } from './outcome.ts'

export interface Figures {
  turns: number
  seconds: number
  turnsPerSecond: number
  stepsPerTurn: number
  /** Milliseconds from when a message was due to be sent until its answer was delivered. */
  latencyMs: Quantiles
  /** Milliseconds from when a message was accepted and the one before answered, until its turn was opened. */
  turnWaitMs: Quantiles
  turnMs: Quantiles
  /** Messages that waited behind earlier ones, at the worst moment: of one session, and of all together. */
  maxQueueOfOne: number
  maxQueueOfAll: number
  /** Tries that the door refused or lost, each sent again under its key. */
  refused: number
}

export interface Quantiles {
  p50: number
  p90: number
  p99: number
  max: number
}

/** The figures of a phase, without the person whose question the model held. */
export function figuresOf(sent: readonly Sent[], outcome: Outcome, held: string | null): Figures {
  const counted = sent.filter(({ person }) => person !== held)
  const rows = new Map(outcome.requests.map((row) => [row.id, row]))
  const people = new Set(counted.map(({ person }) => person))
  const requestsOf = groupBy(outcome.requests, ({ session }) => session ?? '')
  const turnsOf = groupBy(outcome.turns, ({ session }) => session)
  const waited = [...requestsOf]
    .filter(([, requests]) => requests.some(({ person }) => people.has(person)))
    .flatMap(([session, requests]) => waits(requests, turnsOf.get(session) ?? []))
  const latencies = counted.flatMap(({ request, due, answered }) => {
    const at = answered ?? rows.get(request)?.answeredAt?.getTime()
    return at === undefined ? [] : [at - due]
  })
  const finished = outcome.turns.filter(({ request }) => people.has(rows.get(request)?.person ?? ''))
  const first = Math.min(...counted.map(({ due }) => due))
  const last = Math.max(first, ...finished.map(({ finishedAt }) => finishedAt?.getTime() ?? first))
  const seconds = (last - first) / 1_000
  const openedAt = new Map(outcome.turns.map((turn) => [turn.request, turn.openedAt.getTime()]))
  const queues = [...groupBy(outcome.requests, ({ person }) => person).values()].map((requests) =>
    queueChanges(requests, openedAt),
  )
  return {
    turns: finished.length,
    seconds: round(seconds),
    turnsPerSecond: round(finished.length / seconds),
    stepsPerTurn: round(finished.reduce((sum, { steps }) => sum + steps, 0) / Math.max(1, finished.length)),
    latencyMs: quantiles(latencies),
    turnWaitMs: quantiles(waited.map(({ waitedMs }) => waitedMs)),
    turnMs: quantiles(waited.map(({ tookMs }) => tookMs)),
    maxQueueOfOne: Math.max(0, ...queues.map(highest)),
    maxQueueOfAll: highest(queues.flat()),
    refused: sent.reduce((sum, { refused }) => sum + refused, 0),
  }
}

interface Change {
  at: number
  by: 1 | -1
}

/** A message joins the queue when it is accepted and leaves it when its turn is opened. */
function queueChanges(requests: readonly RequestRow[], openedAt: ReadonlyMap<string, number>): Change[] {
  return requests.flatMap(({ id, acceptedAt }): Change[] => {
    const leaves = openedAt.get(id)
    const joins: Change = { at: acceptedAt.getTime(), by: 1 }
    return leaves === undefined ? [joins] : [joins, { at: leaves, by: -1 }]
  })
}

function highest(changes: Change[]): number {
  const inOrder = changes.toSorted((a, b) => a.at - b.at || a.by - b.by)
  let [now, most] = [0, 0]
  for (const { by } of inOrder) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

export const round = (value: number): number => Math.round(value * 10) / 10

/** The machine in one line, with how busy it was before. */
export function machineLine(): string {
  const [processor] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const busy = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ')
  return `${cpus().length} x ${processor?.model.trim() ?? 'unknown'}, ${memory} GiB, Node ${process.version}, load before ${busy}`
}
