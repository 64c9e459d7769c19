import { Fault } from './fault.ts'

/**
 * SQLSTATE classes (PostgreSQL documentation, appendix A) in which Postgres did nothing and the same transaction may pass
 * later: 08 connection, 40 rollback (serialization, deadlock), 53 resources, 55 object in use or locked, 57 operator
 * intervention (cancelled, shut down, starting), 58 the system under Postgres.
 */
const passing = ['08', '40', '53', '55', '57', '58']
/**
 * 22 data exception, 23 integrity constraint: the same data fails again. A unique key (23505) is no exception: every
 * insert that races for one says `on conflict` or holds the lock under which the key is free.
 */
const poison = ['22', '23']
/** read_only_sql_transaction: the connection is to a primary that became a standby. */
const readOnly = '25006'
const lostConnection = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/**
 * Turns anything thrown into a Fault, so that a stage's answer is decided in one place: a lost or busy Postgres is
 * retryable, data that it refuses is poison (422), everything unknown is `stage.failed` (500, which a broker retries and
 * then dead-letters).
 */
export function toFault(error: unknown): Fault {
  if (Fault.is(error)) return error
  const code = memberOf(error, 'code')
  const detail = error instanceof Error ? error.message : String(error)
  const sqlClass = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code.slice(0, 2) : ''
  if (code !== undefined && (lostConnection.has(code) || code === readOnly || passing.includes(sqlClass))) {
    return new Fault('store.unavailable', `Postgres: ${detail}`, { cause: error })
  }
  if (poison.includes(sqlClass)) return new Fault('store.data-refused', describeRefusal(error), { cause: error })
  if (code === '42P01' || code === '42703') {
    return new Fault('store.schema-outdated', `Postgres: ${detail}`, { cause: error })
  }
  return new Fault('stage.failed', detail, { cause: error })
}

/** What Postgres refused, without its message: that quotes the value, which may be somebody's words. */
function describeRefusal(error: unknown): string {
  const code = memberOf(error, 'code') ?? ''
  const where = [memberOf(error, 'table_name'), memberOf(error, 'column_name'), memberOf(error, 'constraint_name')]
  const names = where.filter((name) => name !== undefined).join('.')
  const what = code.startsWith('22') ? 'a value does not fit' : 'a constraint is violated'
  return `Postgres: ${code}, ${what}${names === '' ? '' : ` (${names})`}`
}

function memberOf(error: unknown, name: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const member: unknown = Reflect.get(error, name)
  return typeof member === 'string' ? member : undefined
}
