import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod/mini'
import { readKey } from '../../local/issuer/key.ts'
import { signToken } from '../../local/issuer/sign.ts'
import { type Door, type Sent, sendInTime, sendWaiting } from './arrivals.ts'
import { watchConnections } from './connections.ts'
import { type Figures, figuresOf, round } from './figures.ts'
import type { FunctionName } from './fleet.ts'
import { judge } from './judge.ts'
import { countAnswered, readOutcome } from './outcome.ts'
import { processorTimes, spentATurn } from './processor.ts'
import { seeded } from './random.ts'
import { countRefusals } from './refusals.ts'
import type { Phase, Settings } from './settings.ts'
import type { Stack } from './stack.ts'
import { tickUntil } from './tick.ts'

export interface PhaseResult extends Figures {
  way: Stack['way']
  phase: Phase
  sessions: number
  messages: number
  instances: number
  /** Seconds that the model held one person's question; null where it held none. */
  heldSeconds: number | null
  /** Turns of others that were finished meanwhile. */
  turnsMeanwhile: number | null
  crashes: number
  /** Milliseconds from a crash's beginning until the next turn was finished. */
  resumeMs: number[]
  /** Messages whose event was lost on its way to the broker, and that the keeper published again. */
  foundByTick: number
  /** The most connections of one instance, by function. */
  connections: Record<FunctionName, number>
  /** Processor milliseconds a turn, by part. */
  processorMs: Record<string, number>
  /** Events that a function refused, by function and code: each came again. */
  retries: Record<string, number>
  violations: string[]
}

/** What one model step answers from the router's own texts, so that a turn is one step and opens no ticket. */
const words = ['what can you do for me', 'good morning', 'purple rain over the harbour', 'main menu please']
const heldWords = 'a zeppelin over the harbour'

/**
 * Seconds without one more answer after which the rest counts as lost. An event that a crash lost on its way to the
 * broker is found by the keeper when it is two minutes old.
 */
const patienceSeconds = { closed: 60, open: 60, restarts: 180 } as const satisfies Record<Phase, number>

/** Runs one phase with people of its own on a stack, and judges what came of it. */
export async function runPhase(
  stack: Stack,
  phase: Phase,
  settings: Settings,
  options: { say: (sentence: string) => void; signal: AbortSignal },
): Promise<PhaseResult> {
  const { fleet, admin } = stack
  const { say, signal } = options
  const messages = phase === 'open' ? settings.messages : Math.ceil(settings.messages / 4)
  const domain = `${phase}.load.example`
  const people = Array.from({ length: settings.sessions }, (_, index) => `person-${index + 1}@${domain}`)
  const held = phase === 'open' ? `held@${domain}` : null
  const door = await openDoor(stack)
  // Whatever a token costs is not a message's.
  for (const person of [...people, ...(held === null ? [] : [held])]) await door.tokenOf(person)
  const before = await processorTimes(stack)
  const logs = join(fleet.data, 'logs')
  const refusedBefore = await countRefusals(logs)
  const connections = watchConnections(admin, stack.pooler?.consoleUrl ?? null)
  const total = settings.sessions * messages + (held === null ? 0 : 3)
  const over = new AbortController()
  const crashed: number[] = []
  const began = Date.now()

  const sending = (async (): Promise<Sent[]> => {
    const until = AbortSignal.any([signal, over.signal])
    if (phase === 'closed') {
      const all = people.map((person, index) => sendWaiting(door, person, contentsOf(index, messages), until))
      return (await Promise.all(all)).flat()
    }
    const random = seeded(7)
    const span = (1_000 * settings.sessions * messages) / settings.rate
    const all = people.map((person, index) => {
      // As a Poisson process comes that brings so many within this span: at any time as likely as at any other.
      const times = Array.from({ length: messages }, () => began + random() * span).sort((one, other) => one - other)
      const contents = contentsOf(index, messages).map((content, place) => ({ content, due: times[place] ?? began }))
      return sendInTime(door, person, contents, until)
    })
    if (held !== null) {
      fleet.model.hold(heldWords, settings.hold * 1_000)
      const contents = [heldWords, 'good morning', 'main menu please'].map((content) => ({
        content,
        due: began + 1_000,
      }))
      all.push(sendInTime(door, held, contents, until))
    }
    return (await Promise.all(all)).flat()
  })()
  sending.catch(() => {})
  const crashing =
    phase === 'restarts' ? crashInBetween(stack, settings, total, began, crashed, say, over.signal) : null

  const ticking = phase === 'restarts' ? tickUntil(`http://127.0.0.1:${fleet.ports.keeper}/`, over.signal) : null

  const violations: string[] = []
  let sent: Sent[] = []
  let stuck = false
  try {
    stuck = await untilAnswered(stack, { domain, total, say, signal, sending, phase })
  } finally {
    over.abort()
    await Promise.all([crashing, ticking])
    sent = await sending.catch((error: unknown) => {
      violations.push(`the messages were not all sent: ${error instanceof Error ? error.message : String(error)}`)
      return []
    })
    await connections.stop()
  }
  if (stuck) violations.push(`no further answer within ${patienceSeconds[phase]} s`)
  else await untilQuiet(stack)
  const after = await processorTimes(stack)
  const outcome = await readOutcome(admin, domain)
  const figures = figuresOf(sent, outcome, held)
  // Where all sessions are busy, each gets its next turn after one round of all of them; what a crash lost, after a tick.
  const roundMs = (1_000 * settings.sessions) / Math.max(1, figures.turnsPerSecond)
  const longestMs = (phase === 'restarts' ? 150_000 : 5_000) + roundsAllowed * roundMs
  violations.push(...judge(sent, outcome, { longestMs, held }))

  const window = fleet.model.held
  const meanwhile = held === null || window?.until == null ? null : finishedWithin(outcome, window.from, window.until)
  if (held !== null && (meanwhile === null || meanwhile === 0)) {
    violations.push(
      window === null ? 'the model was not asked the question to hold' : 'no turn while the model held one',
    )
  }
  const most = mostConnections(stack, connections.most)
  violations.push(...connectionFaults(stack, connections.most))
  if (connections.advisoryLocks > 0) violations.push('a connection in no transaction held an advisory lock')
  return {
    way: stack.way,
    phase,
    ...{ sessions: settings.sessions, messages, instances: settings.instances },
    heldSeconds: window?.until == null || held === null ? null : round((window.until - window.from) / 1_000),
    turnsMeanwhile: meanwhile,
    crashes: crashed.length,
    resumeMs: crashed.map((at) => resumedAfter(outcome, at)),
    foundByTick: outcome.republished,
    connections: most,
    retries: newOnes(refusedBefore, await countRefusals(logs)),
    processorMs: spentATurn(before, after, outcome.turns.length),
    ...figures,
    violations,
  }
}

function contentsOf(person: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${words[(person + index) % words.length]} (${index + 1})`)
}

async function openDoor(stack: Stack): Promise<Door> {
  const { ports, data } = stack.fleet
  const key = await readKey(join(data, 'issuer'))
  if (key === null) throw new Error('the issuer has made no key')
  const issuer = `http://127.0.0.1:${ports.issuer}`
  const tokens = new Map<string, string>()
  return {
    url: `http://127.0.0.1:${ports.ingress}`,
    async tokenOf(email) {
      const token =
        tokens.get(email) ?? (await signToken(key, { issuer, audience: 'self-service-agent', email, now: new Date() }))
      tokens.set(email, token)
      return token
    },
  }
}

/** Waits until every message is answered; true where answers stopped coming. */
async function untilAnswered(
  stack: Stack,
  options: {
    domain: string
    total: number
    phase: Phase
    say: (sentence: string) => void
    signal: AbortSignal
    sending: Promise<Sent[]>
  },
): Promise<boolean> {
  const { domain, total, say, signal, sending, phase } = options
  let failed: unknown = null
  sending.catch((error: unknown) => {
    failed = error
  })
  let [answered, since, told] = [0, Date.now(), Date.now()]
  while (answered < total) {
    signal.throwIfAborted()
    if (failed !== null) return false
    const ended = await Promise.race([stack.fleet.broken, pause(250)])
    if (typeof ended === 'string') throw new Error(ended)
    // Postgres may be down for a moment.
    const now = await countAnswered(stack.admin, domain).catch(() => answered)
    if (now > answered) since = Date.now()
    answered = now
    if (Date.now() - told > 5_000) {
      told = Date.now()
      say(`  ${phase}: ${answered} of ${total} answered`)
    }
    if (Date.now() - since > patienceSeconds[phase] * 1_000) return true
  }
  return false
}

const brokerStatus = z.object({ triggers: z.record(z.string(), z.object({ pending: z.int() })) })

/** Waits until the broker owes nothing any more, at most ten seconds. */
async function untilQuiet(stack: Stack): Promise<void> {
  const until = Date.now() + 10_000
  while (Date.now() < until) {
    const response = await fetch(`http://127.0.0.1:${stack.fleet.ports.broker}/status`, {
      signal: AbortSignal.timeout(5_000),
    })
    const { triggers } = brokerStatus.parse(await response.json())
    if (Object.values(triggers).every(({ pending }) => pending === 0)) return
    await pause(50)
  }
}

/** Crashes Postgres at even distances while messages come. */
async function crashInBetween(
  stack: Stack,
  settings: Settings,
  count: number,
  began: number,
  crashed: number[],
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const span = (1_000 * count) / settings.rate
  for (let index = 0; index < settings.restarts; index += 1) {
    const at = began + (span * (index + 1)) / (settings.restarts + 1)
    await pause(Math.max(0, at - Date.now()), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    crashed.push(Date.now())
    await stack.crash()
    say(`  restarts: Postgres crashed and was back after ${Date.now() - (crashed.at(-1) ?? 0)} ms`)
  }
}

type Finished = { finishedAt: Date | null }

function finishedWithin(outcome: { turns: readonly Finished[] }, from: number, until: number): number {
  const inside = ({ finishedAt }: Finished) =>
    finishedAt !== null && finishedAt.getTime() >= from && finishedAt.getTime() < until
  return outcome.turns.filter(inside).length
}

function resumedAfter(outcome: { turns: readonly Finished[] }, at: number): number {
  const later = outcome.turns.map(({ finishedAt }) => finishedAt?.getTime() ?? 0).filter((time) => time > at + 200)
  return later.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...later) - at
}

/** Rounds of all sessions within which each must have its turn: more, and it starves. */
const roundsAllowed = 3

/** Law 8: two connections an instance. */
const connectionsAllowed = 2

function mostConnections(stack: Stack, most: ReadonlyMap<string, number>): Record<FunctionName, number> {
  const byFunction: Record<FunctionName, number> = {
    ...{ ingress: 0, normalize: 0, route: 0, agent: 0, dispatch: 0, keeper: 0, servicenow: 0 },
  }
  for (const { name, function: function_ } of stack.fleet.instances) {
    byFunction[function_] = Math.max(byFunction[function_], most.get(name) ?? 0)
  }
  return byFunction
}

function connectionFaults(stack: Stack, most: ReadonlyMap<string, number>): string[] {
  const instances = new Set(stack.fleet.instances.map(({ name }) => name))
  const ours = new Set(['broker', 'load-admin', 'load-console'])
  return [...most].flatMap(([name, count]) => {
    if (instances.has(name)) return count > connectionsAllowed ? [`${name} had ${count} connections`] : []
    return ours.has(name) ? [] : [`somebody who is called "${name}" had ${count} connections`]
  })
}

function newOnes(before: Map<string, number>, after: Map<string, number>): Record<string, number> {
  const grown = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const)
  return Object.fromEntries(grown.filter(([, count]) => count > 0))
}
