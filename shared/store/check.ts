import { Fault } from '../errors/fault.ts'
import type { Database } from './connect.ts'

/**
 * Resolves when Postgres answers a query within `timeoutMs` (2 s).
 * @throws Fault `store.unavailable`
 */
export async function checkStore(database: Database, timeoutMs = 2_000): Promise<void> {
  const query = database`select 1`
  const timer = setTimeout(() => query.cancel(), timeoutMs)
  try {
    await query
  } catch (cause) {
    throw new Fault('store.unavailable', 'Postgres did not answer', { cause })
  } finally {
    clearTimeout(timer)
  }
}
