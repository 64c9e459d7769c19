import { setTimeout as pause } from 'node:timers/promises'
import type { Arrival } from './control.ts'
import type { Stand } from './stand.ts'

/** Milliseconds that a process is held at most; less than a transaction may idle. */
const longestHold = 2_000

/**
 * Sends an employee's next message at the instants that law 2 is about. `while-busy`: an agent has just begun with the
 * one before. `at-the-end`: the answer is committed and route has not heard of it; then normalize, which has found the
 * session busy, is held before its commit until route has decided or waits for it.
 */
export function createOverlap(stand: Stand, run: { reached(point: string): number; over(): boolean }) {
  let planned: { kind: 'while-busy' | 'at-the-end'; send: () => void; normalized: number } | null = null
  let holding: { normalized: number; routed: number } | null = null

  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    const end = performance.now() + longestHold
    while (performance.now() < end && !run.over() && !(await condition())) await pause(4)
  }

  return {
    next(kind: 'while-busy' | 'at-the-end', send: () => void): void {
      planned = { kind, send, normalized: run.reached('normalize: after commit') }
    },
    none(): void {
      planned = null
    },
    async arrived({ point }: Arrival): Promise<void> {
      if (planned?.kind === 'while-busy' && point === 'agent: after claim') {
        const { send, normalized } = planned
        planned = null
        send()
        await until(() => run.reached('normalize: after commit') >= normalized + 2)
      } else if (planned?.kind === 'at-the-end' && point === 'agent: before reply' && (await answered(stand))) {
        const { send } = planned
        planned = null
        const before = run.reached('normalize: before commit')
        holding = { normalized: before, routed: run.reached('route: before commit') }
        send()
        await until(() => run.reached('normalize: before commit') > before)
      } else if (holding !== null && point === 'normalize: before commit') {
        const { routed } = holding
        holding = null
        await until(async () => run.reached('route: before commit') > routed || (await waiting(stand)))
      }
    },
  }
}

/** Whether a session's turn has its answer, which route has not heard of yet. */
async function answered(stand: Stand): Promise<boolean> {
  const rows = await stand.database`
    select from sessions s join turns t on t.id = s.turn where t.state in ('answered', 'failed')`
  return rows.length > 0
}

async function waiting(stand: Stand): Promise<boolean> {
  const rows = await stand.database`
    select from pg_stat_activity
    where datname = current_database() and application_name = 'route' and wait_event_type = 'Lock'`
  return rows.length > 0
}
