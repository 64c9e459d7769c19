import { type Case, type Fault, faults, faultTitles, type ScenarioName } from './cases.ts'
import type { Problem } from './check-case.ts'
import type { ChaosRun } from './run.ts'
import type { Outcome } from './run-case.ts'

/** What a run came to, as reports/chaos.json keeps it. */
export interface Summary {
  points: number
  cases: number
  duplicates: number
  losses: number
  stuck: number
  /** Wrong in another way: another ticket than the approved one, an answer out of order. */
  wrong: number
  /** From a crash until the same request was answered. Three have their own: they wait for more than a retry. */
  resume_ms_p50: number | null
  resume_ms_p99: number | null
  /** From a hang, or an event not sent, until the broker or whoever else waited gave up: a timeout of theirs, not ours. */
  hang_noticed_ms_p50: number | null
  hang_noticed_ms_p99: number | null
  /** From then until the same request was answered. */
  hang_resume_ms_p50: number | null
  hang_resume_ms_p99: number | null
  in_doubt_resume_ms_p50: number | null
  in_doubt_resume_ms_p99: number | null
  tick_resume_ms_p50: number | null
  tick_resume_ms_p99: number | null
  /** How often the model answered a question otherwise the second time. */
  model_changes: number
  messages: number
  seed: number
  /** What was left out on purpose; null where every case was run. */
  part: string | null
  machine: string
  started_at: string
  seconds: number
  per_case: CaseSummary[]
}

interface CaseSummary {
  id: string
  resume_ms: number | null
  noticed_ms: number | null
  milliseconds: number
  messages: number
  model_changes: number
  in_doubt: boolean
  problems: Problem[]
}

export function summarise(run: ChaosRun): Summary {
  const all = [...run.undisturbed, ...run.outcomes]
  // A case counts once a kind, however many rows show it.
  const count = (kind: Problem['kind']) =>
    all.filter(({ problems }) => problems.some((problem) => problem.kind === kind)).length
  const resumed = (wanted: (outcome: Outcome) => boolean) =>
    run.outcomes.filter(wanted).flatMap(({ resumeMs }) => (resumeMs === null ? [] : [resumeMs]))
  const crashes = resumed((outcome) => kindOf(outcome) === 'crash')
  const hangs = run.outcomes.flatMap((outcome) => {
    const { resumeMs, noticedMs } = outcome
    if (kindOf(outcome) !== 'hang' || resumeMs === null || noticedMs === null) return []
    return [{ noticed: noticedMs, after: resumeMs - noticedMs }]
  })
  const noticed = hangs.map((hang) => hang.noticed)
  const afterHangs = hangs.map((hang) => hang.after)
  const doubts = resumed((outcome) => kindOf(outcome) === 'in-doubt')
  const ticks = resumed((outcome) => kindOf(outcome) === 'tick')
  return {
    points: new Set(run.outcomes.map(({ case: one }) => one?.point)).size,
    cases: run.outcomes.length,
    duplicates: count('duplicate'),
    losses: count('loss'),
    stuck: count('stuck'),
    wrong: count('wrong'),
    resume_ms_p50: percentile(crashes, 0.5),
    resume_ms_p99: percentile(crashes, 0.99),
    hang_noticed_ms_p50: percentile(noticed, 0.5),
    hang_noticed_ms_p99: percentile(noticed, 0.99),
    hang_resume_ms_p50: percentile(afterHangs, 0.5),
    hang_resume_ms_p99: percentile(afterHangs, 0.99),
    in_doubt_resume_ms_p50: percentile(doubts, 0.5),
    in_doubt_resume_ms_p99: percentile(doubts, 0.99),
    tick_resume_ms_p50: percentile(ticks, 0.5),
    tick_resume_ms_p99: percentile(ticks, 0.99),
    model_changes: all.reduce((sum, { changes }) => sum + changes, 0),
    messages: all.reduce((sum, { messages }) => sum + messages, 0),
    seed: run.seed,
    part: run.part,
    machine: run.machine,
    started_at: run.startedAt.toISOString(),
    seconds: Math.round(run.seconds),
    per_case: all.map((outcome) => ({
      id: outcome.id,
      resume_ms: outcome.resumeMs,
      noticed_ms: outcome.noticedMs,
      milliseconds: outcome.milliseconds,
      messages: outcome.messages,
      model_changes: outcome.changes,
      in_doubt: outcome.inDoubt,
      problems: outcome.problems,
    })),
  }
}

/**
 * What going on had to wait for: a retry of the broker; its patience with a process that hangs; the not-after of a write
 * that nobody knows to have begun; the lease by which one tick works at a time.
 */
function kindOf({ case: one, inDoubt, noticedMs }: Outcome): 'crash' | 'hang' | 'in-doubt' | 'tick' {
  if (inDoubt) return 'in-doubt'
  if (one?.scenario === 'lost-events' || (one?.scenario === 'chores' && one.point.startsWith('keeper:'))) return 'tick'
  return one?.fault === 'hang' || noticedMs !== null ? 'hang' : 'crash'
}

export function hasViolation(run: ChaosRun): boolean {
  return run.outcomes.length === 0 || [...run.undisturbed, ...run.outcomes].some(({ problems }) => problems.length > 0)
}

/** One row a point, one column a fault: how many of its cases are as they should be. */
export function writeTable(run: ChaosRun): string {
  const rows = new Map<string, Map<Fault, Outcome[]>>()
  for (const outcome of run.outcomes) {
    if (outcome.case === null) continue
    const row = rows.get(rowOf(outcome.case)) ?? new Map<Fault, Outcome[]>()
    row.set(outcome.case.fault, [...(row.get(outcome.case.fault) ?? []), outcome])
    rows.set(rowOf(outcome.case), row)
  }
  const width = Math.max(5, ...[...rows.keys()].map((name) => name.length))
  const head = ['point'.padEnd(width), ...faults.map((fault) => faultTitles[fault].padStart(20))].join('')
  const body = [...rows]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, row]) => [name.padEnd(width), ...faults.map((fault) => cell(row.get(fault)).padStart(20))].join(''))
  return [head, ...body].join('\n')
}

const notes: Record<ScenarioName, string> = {
  conversation: '',
  'given-up': ' (given up)',
  'lost-events': ' (lost)',
  chores: '',
}

function rowOf({ scenario, point }: Case): string {
  return `${point}${notes[scenario]}`
}

function cell(outcomes: readonly Outcome[] | undefined): string {
  if (outcomes === undefined) return '-'
  const good = outcomes.filter(({ problems }) => problems.length === 0).length
  return good === outcomes.length ? `${good} ok` : `${outcomes.length - good} of ${outcomes.length} FAILED`
}

export function writeTotals(summary: Summary): string {
  const span = (p50: number | null, p99: number | null) => (p50 === null ? '-' : `p50 ${p50} ms, p99 ${p99} ms`)
  return [
    `${summary.points} points, ${summary.cases} cases: ${summary.duplicates} duplicates, ${summary.losses} losses, ${summary.stuck} stuck, ${summary.wrong} wrong`,
    `crash to resumed: ${span(summary.resume_ms_p50, summary.resume_ms_p99)}`,
    `hang to noticed, with timeouts of 5 s at the broker: ${span(summary.hang_noticed_ms_p50, summary.hang_noticed_ms_p99)}`,
    `hang noticed to resumed: ${span(summary.hang_resume_ms_p50, summary.hang_resume_ms_p99)}`,
    `a tick that died, until the next: ${span(summary.tick_resume_ms_p50, summary.tick_resume_ms_p99)}`,
    `a write in doubt, with a not-after of 8 s: ${span(summary.in_doubt_resume_ms_p50, summary.in_doubt_resume_ms_p99)}`,
    `${summary.messages} messages; the model changed its mind ${summary.model_changes} times`,
    `machine: ${summary.machine}; ${summary.seconds} s; seed ${summary.seed}`,
  ].join('\n')
}

/** The command that runs one case again. */
export function repeatCommand(id: string, seed: number): string {
  // Not by way of make, which reads a $ in its own way.
  return `sh scripts/node.sh scripts/chaos.ts --seed ${seed} --points '^${id}$'`
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
