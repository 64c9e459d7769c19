import * as z from 'zod/mini'
import { section } from './section.ts'
import { day, grouped, seconds, table } from './words.ts'

const ways = ['postgres', 'pgbouncer'] as const
const phases = ['closed', 'open', 'restarts'] as const

const figures = z.object({
  date: z.iso.datetime(),
  machine: z.string(),
  versions: z.record(z.string(), z.string()),
  violations: z.int(),
  phases: z.array(
    z.object({
      way: z.enum(ways),
      phase: z.enum(phases),
      sessions: z.int(),
      instances: z.int(),
      turns: z.int(),
      turnsPerSecond: z.number(),
      latencyMs: z.object({ p50: z.number(), p90: z.number(), p99: z.number() }),
      maxQueueOfOne: z.int(),
      heldSeconds: z.nullable(z.number()),
      crashes: z.int(),
      resumeMs: z.array(z.number()),
      connections: z.record(z.string(), z.int()),
    }),
  ),
})
type Phase = z.infer<typeof figures>['phases'][number]

/** Load with order. */
export const load = section({
  name: 'load',
  command: 'make load',
  read: (report) => figures.parse(report),
  refuse(run) {
    const has = (way: Phase['way'], phase: Phase['phase']) =>
      run.phases.some((one) => one.way === way && one.phase === phase)
    const missing = ways.flatMap((way) =>
      phases.filter((phase) => !has(way, phase)).map((phase) => `${phase} by ${way}`),
    )
    if (missing.length > 0) return `it lacks ${missing.join(', ')}`
    const small = run.phases.find(({ sessions, instances }) => sessions < 200 || instances < 4)
    if (small !== undefined) return `it is of ${small.sessions} sessions on ${small.instances} instances`
    return run.violations > 0 ? 'it has violations' : null
  },
  write(run) {
    const turns = run.phases.reduce((sum, phase) => sum + phase.turns, 0)
    const most = Math.max(...run.phases.flatMap(({ connections }) => Object.values(connections)))
    const [first] = run.phases
    const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`)
    return [
      `\`make load\`, ${run.machine}, ${versions.join(', ')}, ${day(run.date)}: ${first?.sessions} sessions on ` +
        `${first?.instances} instances of each function; ${run.violations} violations in ${grouped(turns)} turns, at most ${most} connections an instance.`,
      table([
        [
          'way',
          'phase',
          'turns/s',
          'p50 / p90 / p99 (s)',
          'longest queue of a session',
          'after a crash, the next turn (s)',
        ],
        ...run.phases.map((phase) => [
          phase.way === 'postgres' ? 'direct' : 'PgBouncer',
          titleOf(phase),
          phase.turnsPerSecond.toFixed(0),
          [phase.latencyMs.p50, phase.latencyMs.p90, phase.latencyMs.p99].map(seconds).join(' / '),
          String(phase.maxQueueOfOne),
          phase.resumeMs.length === 0 ? '–' : phase.resumeMs.map(seconds).join(', '),
        ]),
      ]),
    ].join('\n\n')
  },
})

function titleOf({ phase, heldSeconds, crashes }: Phase): string {
  switch (phase) {
    case 'closed':
      return 'each session waits for its answers'
    case 'open':
      return `messages at their own times, one session held ${heldSeconds} s in the model`
    case 'restarts':
      return `${crashes} crashes of Postgres`
  }
}
