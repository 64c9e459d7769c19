import { setTimeout as pause } from 'node:timers/promises'
import type { Employee } from '../../local/servicenow/employees.ts'
import { atRest } from './at-rest.ts'
import { type Case, idOf, type Reached, randomFrom, type ScenarioName } from './cases.ts'
import { checkCase, checkDeadLetters, type Problem, readDeadLetters, readDigest, wasInDoubt } from './check-case.ts'
import { createChores } from './chores.ts'
import type { Arrival, Order } from './control.ts'
import { createEmployee, post, type Said, say, type Talk } from './employee.ts'
import { createLedger } from './ledger.ts'
import { createOverlap } from './overlap.ts'
import type { Exchange } from './service.ts'
import type { Stand } from './stand.ts'
import { keyOf, type Strike, strike } from './strike.ts'
import { createTrouble } from './trouble.ts'

export interface Outcome {
  id: string
  case: Case | null
  /** Whether the point was reached, so that the fault struck at all. */
  struck: boolean
  /** Milliseconds from the fault until the same request was answered: with its commit, or with the reply stored in it. */
  resumeMs: number | null
  /**
   * Milliseconds from the fault until whoever waited in vain gave up: for a process that hung, or at the door for the
   * answer to an event that was not sent. Null where nobody did.
   */
  noticedMs: number | null
  /** The write was in doubt, so that going on had to wait for its not-after. */
  inDoubt: boolean
  problems: Problem[]
  milliseconds: number
  reached: Reached
  /** How often the model answered the same question otherwise. */
  changes: number
  messages: number
  /** What was said, for whoever looks into a problem. */
  transcript: string[]
}

export interface RunOptions {
  /** Decides what the model says the second time, and the order of redeliveries. */
  seed: number
  /** Milliseconds after which a message without an answer, or anything else that is not at rest, is stuck. */
  patienceMs: number
}

const mostMessages = 30
const neverWakesMs = 45_000

/** Runs one case on a stand: the conversation with its fault, the look at what is left, and everything once more. */
export async function runCase(
  stand: Stand,
  what: { scenario: ScenarioName; strike: Case | null },
  options: RunOptions,
): Promise<Outcome> {
  const { seed, patienceMs } = options
  const planned = what.strike
  const id = planned === null ? `${what.scenario} / undisturbed` : idOf(planned)
  const random = randomFrom(`${seed} ${id}`)
  const began = performance.now()
  const employee = stand.nextEmployee()
  const problems: Problem[] = []
  const reached = new Map<string, number>()
  const ledger = createLedger()
  const trouble = createTrouble(stand, what.scenario, problems)
  const changesBefore = stand.model.changes()
  let struck: Strike | null = null
  let resumed: number | null = null
  let noticed: number | null = null
  const answered = new Set<string>()
  /** The conversation is over: what comes now is the redelivery. */
  let over = false
  let inConversation: Reached = reached
  let wake: Promise<void> = Promise.resolve()
  let successor: ((arrived: boolean) => void) | null = null

  const overlap = createOverlap(stand, { reached: (point) => reached.get(point) ?? 0, over: () => struck !== null })

  const arrived = async (arrival: Arrival): Promise<Order> => {
    const times = (reached.get(arrival.point) ?? 0) + 1
    reached.set(arrival.point, times)
    await overlap.arrived(arrival)
    if (
      planned !== null &&
      struck === null &&
      !over &&
      arrival.point === planned.point &&
      times === planned.occurrence
    ) {
      struck = strike(stand, arrival, planned.fault, planned.place)
      if (struck.waking !== null) wake = waken(struck)
      return struck.order
    }
    if (
      struck !== null &&
      struck.waking === 'begun' &&
      arrival.service === struck.service &&
      arrival.pid !== struck.pid
    ) {
      // The one that hung goes on while this one is in the middle of the same work.
      if (successor !== null) {
        successor(true)
        successor = null
        await sleeperGoneOn(struck)
      }
    }
    if (struck?.losesReply && arrival.pid === struck.pid && arrival.point.endsWith('before reply')) {
      struck.losesReply = false
      return 'lose'
    }
    return ''
  }

  /** Until the process that hung has answered what it had, for at most a second. */
  const sleeperGoneOn = async ({ service, pid }: Strike): Promise<void> => {
    const until = performance.now() + 1_000
    await pause(50)
    while (performance.now() < until && stand.services[service].underWay(pid).length > 0) await pause(5)
  }

  const waken = async (hanging: Strike): Promise<void> => {
    const until = performance.now() + neverWakesMs
    let begun = false
    successor = () => {
      begun = true
    }
    const over = async (): Promise<boolean> => {
      if (hanging.waking === 'begun') return begun
      if (hanging.waking === 'finished') return [...hanging.victims].every((victim) => answered.has(victim))
      const events = [...hanging.victims].map((victim) => victim.split(' ')[1] ?? '')
      const rows = await stand.database`
        select from inbox where event = any(${`{${events.join(',')}}`}::text::text[])
          and (state = 'finished' or lease_until < now())`
      return rows.length >= events.length
    }
    while (!(await over()) && performance.now() < until) await pause(10)
    if (performance.now() >= until)
      problems.push({ kind: 'stuck', what: `nobody took over from the process that hung` })
    try {
      process.kill(hanging.pid, 'SIGCONT')
    } catch {
      problems.push({ kind: 'wrong', what: 'the process that hung was gone before it woke' })
    }
  }

  const deadLetters = await readDeadLetters(stand)
  stand.model.forget()
  stand.hooks.random = random
  stand.hooks.arrived = arrived
  stand.hooks.instead = (exchange) => trouble.instead(exchange)
  stand.hooks.answered = (exchange: Exchange) => {
    const difference = ledger.answered(exchange)
    if (difference !== null) problems.push({ kind: 'wrong', what: difference })
    const { answer } = exchange
    if (struck === null || answer === null || !answer.delivered || answer.status >= 300) return
    const key = keyOf(exchange)
    if (!struck.victims.has(key) || answered.has(key)) return
    // "Accepted, not answered yet": they ask again.
    if (answer.status === 202 && exchange.service === 'ingress') {
      noticed = answer.at - struck.at
      return
    }
    answered.add(key)
    if (answered.size === struck.victims.size) resumed = answer.at - struck.at
  }

  stand.hooks.left = ({ pid }: Exchange) => {
    if (struck?.fault === 'hang' && struck.pid === pid && resumed === null) noticed = Date.now() - struck.at
  }

  const talk: Talk = { said: [], approved: null, over: false }
  try {
    const chores = what.scenario === 'chores' ? createChores(stand, employee, { id, talk, trouble, patienceMs }) : null
    if (chores === null) {
      const hurry = () => struck !== null
      const talking = converse(stand, employee, { id: `${id} ${employee.email}`, overlap, hurry, talk, patienceMs })
      // Both to their ends, so that nothing of this case goes on into the next one.
      const ended = await Promise.allSettled([talking.finally(() => trouble.end()), trouble.run()])
      for (const one of ended) if (one.status === 'rejected') throw one.reason
    } else {
      await chores.run()
    }
    await wake
    await trouble.settle(patienceMs)
    over = true
    inConversation = new Map(reached)
    if (chores === null) problems.push(...(await checkCase(stand, employee, talk, trouble.expected, deadLetters)))
    else problems.push(...(await chores.check()), ...(await checkDeadLetters(stand, deadLetters, trouble.expected)))
    problems.push(...(await again(stand, employee, talk, ledger, trouble, random, patienceMs)))
  } catch (error) {
    problems.push({ kind: 'stuck', what: error instanceof Error ? error.message : String(error) })
    await wake
  }
  if (planned !== null && struck === null) problems.push({ kind: 'wrong', what: 'the point was not reached' })
  for (const wires of Object.values(stand.wires)) for (const wire of Object.values(wires)) wire.forgive()
  await Promise.all(Object.values(stand.services).map((service) => service.retire()))
  return {
    id,
    case: planned,
    struck: struck !== null,
    resumeMs: resumed,
    noticedMs: noticed,
    inDoubt: await wasInDoubt(stand, employee),
    problems,
    milliseconds: Math.round(performance.now() - began),
    reached: inConversation,
    changes: stand.model.changes() - changesBefore,
    messages: talk.said.length,
    transcript: talk.said.flatMap(({ words, answer }) => [`> ${words}`, answer]),
  }
}

interface Conversation {
  id: string
  overlap: ReturnType<typeof createOverlap>
  /** Whether the fault has struck: until then the employee lets each turn come to rest, so that every run is the same. */
  hurry: () => boolean
  talk: Talk
  patienceMs: number
}

/** Talks until the ticket's number is there; two messages are sent while the one before is still being worked on. */
async function converse(stand: Stand, employee: Employee, options: Conversation): Promise<void> {
  const { talk, overlap } = options
  const door = { url: stand.door.url, token: await stand.door.tokenOf(employee.email) }
  let sent = 0
  const speak = (words: string): Promise<Said> => {
    sent += 1
    const number = sent
    return say(door, `${options.id} ${number}`, words, options.patienceMs).then((said) => {
      talk.said[number - 1] = said
      return said
    })
  }
  /** One message, and another as soon as `overlap` says so, or after the first one's answer. */
  const speakTwice = async (first: string, kind: 'while-busy' | 'at-the-end', second: string): Promise<Said> => {
    let later: Promise<Said> | null = null
    overlap.next(kind, () => {
      later ??= speak(second)
      later.catch(() => {})
    })
    await speak(first)
    overlap.none()
    return await (later ?? speak(second))
  }
  let last = await speakTwice('good day to you', 'while-busy', 'would you please order a newer notebook for me')
  let overlapped = false
  const person = createEmployee()
  while (sent < mostMessages) {
    if (!options.hurry()) await atRest(stand, 10_000)
    const next = person.reply(last.answer)
    if (next === null) {
      talk.over = true
      return
    }
    if (next.approves !== undefined) talk.approved = next.approves
    if (!overlapped && /see the laptops/.test(last.answer)) {
      overlapped = true
      last = await speakTwice(next.words, 'at-the-end', 'the thinkpad for general office people')
    } else {
      last = await speak(next.words)
    }
  }
  throw new Error(`no ticket after ${sent} messages; the last answer: ${last.answer}`)
}

/** Everything once more: every event to its function, every message to the door. Nothing may change. */
async function again(
  stand: Stand,
  employee: Employee,
  talk: Talk,
  ledger: ReturnType<typeof createLedger>,
  trouble: ReturnType<typeof createTrouble>,
  random: () => number,
  patienceMs: number,
): Promise<Problem[]> {
  const problems: Problem[] = []
  const before = await readDigest(stand, employee)
  for (const { exchange } of ledger.firstAnswers(random)) {
    const service = Object.entries(stand.services).find(([name]) => name === exchange.service)?.[1]
    const headers = Object.fromEntries(Object.entries(exchange.headers).map(([name, value]) => [name, String(value)]))
    // The ledger compares the answer with the first one.
    const response = await fetch(`http://127.0.0.1:${service?.port}${exchange.path}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(exchange.body),
    })
    await response.arrayBuffer()
    if (!response.ok)
      problems.push({ kind: 'wrong', what: `${keyOf(exchange)} got ${response.status} when it came again` })
  }
  const door = { url: stand.door.url, token: await stand.door.tokenOf(employee.email) }
  for (const said of talk.said) {
    const response = await post(door, said.key, said.words)
    const text = await response.text()
    if (!text.includes(JSON.stringify(said.answer))) {
      problems.push({ kind: 'wrong', what: `"${said.words}" said again got another answer: ${text.slice(0, 200)}` })
    }
  }
  await trouble.settle(patienceMs)
  const after = await readDigest(stand, employee)
  if (after !== before) problems.push({ kind: 'duplicate', what: `redelivery changed ${before} to ${after}` })
  return problems
}
