import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, type Change } from './bundle.ts'
import { type Case, casesOf, fewest, idOf, type Reached, type ScenarioName, scenarios, shortOf } from './cases.ts'
import { type Outcome, runCase } from './run-case.ts'
import { type Stand, startStand } from './stand.ts'

export interface ChaosOptions {
  root: string
  /** A Postgres server where databases may be created. */
  adminUrl: string
  seed: number
  /** How many stands run cases side by side. */
  lanes: number
  /** Each point once, with a kill or a hang. */
  short?: boolean
  /** Of all cases only those whose id this matches. */
  only?: RegExp
  /** Changes of the product's sources: planted bugs. */
  changes?: readonly Change[]
  /** Milliseconds after which what is not at rest is stuck; default 90,000, more than any retry that matters here. */
  patienceMs?: number
  progress?(outcome: Outcome, done: number, of: number): void
}

export interface ChaosRun {
  seed: number
  /** What was left out on purpose; null where every case was run. */
  part: string | null
  /** The machine it ran on. */
  machine: string
  startedAt: Date
  seconds: number
  /** The runs without a fault, which say what points there are. */
  undisturbed: Outcome[]
  outcomes: Outcome[]
}

/** Runs the cases, each on the first stand that is free, and returns what came of every one. */
export async function runChaos(options: ChaosOptions): Promise<ChaosRun> {
  const { root, seed, patienceMs = 90_000, progress = () => {} } = options
  const startedAt = new Date()
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'chaos-build-'))
  const stands: (Stand | undefined)[] = []
  try {
    const main = await bundle(folder, options.changes)
    const startLane = async (lane: number): Promise<void> => {
      stands[lane] = await startStand({ root, adminUrl: options.adminUrl, main, name: 'abcdefgh'[lane] ?? `${lane}` })
    }
    const lanes = Array.from({ length: options.lanes }, (_, lane) => lane)
    // All to their ends, so that what has started is stopped below.
    for (const result of await Promise.allSettled(lanes.map(startLane))) {
      if (result.status === 'rejected') throw result.reason
    }
    const runOn = async (lane: number, what: Parameters<typeof runCase>[1]): Promise<Outcome> => {
      const stand = stands[lane]
      if (stand === undefined) throw new Error(`lane ${lane} has no stand`)
      const outcome = await runCase(stand, what, { seed, patienceMs })
      if (outcome.problems.length > 0) {
        // What is stuck there is not the next case's.
        delete stands[lane]
        await stand.stop()
        await startLane(lane)
      }
      return outcome
    }

    const undisturbed: Outcome[] = []
    // The conversation twice: what a busy machine repeated in one of them is no arrival to count on.
    const wanted = options.changes === undefined ? [...scenarios, scenarios[0]] : scenarios.slice(0, 1)
    await share(lanes, wanted, async (lane, scenario) => {
      undisturbed.push(await runOn(lane, { scenario, strike: null }))
    })
    const outcomes: Outcome[] = []
    // What is wrong without a fault needs no fault, unless somebody wants to see what a planted bug does.
    const wrong = undisturbed.some(({ problems }) => problems.length > 0)
    const cases = wrong && options.changes === undefined ? [] : choose(undisturbed, options)
    await share(lanes, cases, async (lane, one) => {
      const outcome = await runOn(lane, { scenario: one.scenario, strike: one })
      outcomes.push(outcome)
      progress(outcome, outcomes.length, cases.length)
    })
    const seconds = (performance.now() - began) / 1_000
    const part = options.only ? `only ${options.only.source}` : options.short ? 'short' : null
    return { seed, part, machine: describeMachine(), startedAt, seconds, undisturbed, outcomes }
  } finally {
    await Promise.all(stands.map((stand) => stand?.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

function choose(undisturbed: readonly Outcome[], { only, short }: ChaosOptions): Case[] {
  const reachedIn = (scenario: ScenarioName): Reached =>
    fewest(undisturbed.filter(({ id }) => id.startsWith(`${scenario} /`)).map(({ reached }) => reached))
  const all = scenarios.flatMap((scenario) => casesOf(scenario, reachedIn(scenario)))
  const wanted = short ? shortOf(all) : all
  // A hang waits most: those first, so that no stand is left with one at the end.
  return wanted
    .filter((one) => only?.test(idOf(one)) ?? true)
    .sort((one, other) => Number(other.fault === 'hang') - Number(one.fault === 'hang'))
}

/** Each piece of work on the first lane that is free. */
async function share<Piece>(
  lanes: readonly number[],
  pieces: readonly Piece[],
  work: (lane: number, piece: Piece) => Promise<void>,
): Promise<void> {
  const waiting = [...pieces]
  await Promise.all(
    lanes.map(async (lane) => {
      for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) await work(lane, piece)
    }),
  )
}

function describeMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`
}
