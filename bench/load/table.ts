import type { PhaseResult } from './phases.ts'

/** The phases as a table for a terminal. */
export function tableOf(results: readonly PhaseResult[]): string {
  const rows = [
    ['way', 'phase', 'turns', 'turns/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max queue', 'connections', 'violations'],
    ...results.map((result) => [
      result.way,
      result.phase,
      String(result.turns),
      String(result.turnsPerSecond),
      ...[result.latencyMs.p50, result.latencyMs.p90, result.latencyMs.p99].map(String),
      `${result.maxQueueOfOne} of one, ${result.maxQueueOfAll} of all`,
      String(Math.max(...Object.values(result.connections))),
      String(result.violations.length),
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
