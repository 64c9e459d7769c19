import { Fault } from '../../errors/fault.ts'
import type { LookupStep } from '../agent.ts'
import type { EffectResult } from '../effects.ts'
import { argumentsOf, go, type Move, refuseResult, save, type Walk } from '../walk.ts'

/** Looks rows of a table up by exact values. */
export function lookup(walk: Walk, name: string, step: LookupStep): Move {
  return {
    kind: 'effect',
    effect: { kind: 'lookup', step: name, table: step.table, where: argumentsOf(walk, step.where) },
  }
}

/** Keeps the rows, or the one row. Two rows where the file says there is one are a fault: which one holds is no guess. */
export function looked(walk: Walk, step: LookupStep, result: EffectResult): Move {
  if (result.kind !== 'rows') return refuseResult(walk, result.kind)
  const [row, ...more] = result.rows
  if (step.one && more.length > 0) {
    const rows = `${result.rows.length} rows of ${step.table} where one is expected`
    throw new Fault('flow.expression-failed', `step ${walk.state.at} of ${walk.agent.name}: ${rows}`)
  }
  save(walk, step.save, step.one ? (row ?? null) : result.rows)
  return go(row === undefined ? step.none : step.next)
}
