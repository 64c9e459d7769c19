/** What is done to a process that has arrived at a fault point. */
export const faults = ['kill', 'throw', 'hang', 'reset', 'lose'] as const
export type Fault = (typeof faults)[number]

/** What each fault is, for people. */
export const faultTitles: Record<Fault, string> = {
  kill: 'SIGKILL',
  throw: 'exception',
  hang: 'hang, then goes on',
  reset: 'connections reset',
  lose: 'done, answer lost',
}

/**
 * What goes on while the fault strikes. `conversation`: a laptop refresh from greeting to ticket. `given-up`: the same,
 * but the broker gives up an event of each of its first turns, so that the keeper closes them. `lost-events`: the same,
 * but the broker loses events that it took, so that the keeper's tick has to find them. `chores`: what is over or waits
 * (test/chaos/chores.ts), and somebody else's decision.
 */
export const scenarios = ['conversation', 'given-up', 'lost-events', 'chores'] as const
export type ScenarioName = (typeof scenarios)[number]

export type Place = 'only' | 'first' | 'middle' | 'last'

export interface Case {
  scenario: ScenarioName
  point: string
  /** At which arrival at the point the fault strikes, from 1. */
  occurrence: number
  place: Place
  fault: Fault
}

export function idOf({ scenario, point, place, fault }: Case): string {
  return `${scenario} / ${point} / ${place} / ${fault}`
}

/** How often each point is reached in an undisturbed run of a scenario. */
export type Reached = ReadonlyMap<string, number>

/** What was reached in every one of some runs, and as often as in the one that reached it least. */
export function fewest(runs: readonly Reached[]): Reached {
  const [first = new Map<string, number>(), ...others] = runs
  const counts = [...first].map(([point, times]): [string, number] => [
    point,
    Math.min(times, ...others.map((other) => other.get(point) ?? 0)),
  ])
  return new Map(counts.filter(([, times]) => times > 0))
}

/** The points of a scenario that no other one shows as well. */
const shown: Record<ScenarioName, RegExp> = {
  conversation: /^/,
  'given-up': /^keeper:/,
  'lost-events': /^keeper:/,
  chores: /^keeper: (?:before|after) (?:late|waiting|expired|old) |decision commit$/,
}

/** Every point of a scenario at its first, a middle and its last arrival, with every fault. */
export function casesOf(scenario: ScenarioName, reached: Reached): Case[] {
  const points = [...reached].filter(([point]) => shown[scenario].test(point))
  return points.flatMap(([point, times]) =>
    places(times).flatMap(([place, occurrence]) =>
      faults.map((fault) => ({ scenario, point, occurrence, place, fault })),
    ),
  )
}

function places(times: number): [Place, number][] {
  if (times === 1) return [['only', 1]]
  if (times === 2)
    return [
      ['first', 1],
      ['last', 2],
    ]
  return [
    ['first', 1],
    ['middle', Math.ceil((times + 1) / 2)],
    ['last', times],
  ]
}

/** Each point once, with a kill or a hang, in turn: what fits into a test suite. */
export function shortOf(cases: readonly Case[]): Case[] {
  const points = [...new Set(cases.map(({ point }) => point))]
  return points.map((point, index) => {
    const wanted: Fault = index % 2 === 0 ? 'kill' : 'hang'
    const ofPoint = cases.filter((one) => one.point === point && one.fault === wanted)
    const chosen = ofPoint[index % ofPoint.length]
    if (chosen === undefined) throw new Error(`${point} has no case`)
    return chosen
  })
}

/** A generator of numbers from 0 to 1 that gives the same ones for the same text (mulberry32 over FNV-1a). */
export function randomFrom(text: string): () => number {
  let state = 2_166_136_261
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
