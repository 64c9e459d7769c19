import { Fault } from './fault.ts'

/** SQLSTATE classes in which Postgres did nothing and the same transaction may pass later. */
const passing = ['08', '40', '53', '55', '57', '58']
const lostConnection = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/**
 * Turns anything thrown into a Fault, so that a stage's answer is decided in one place: a lost or busy Postgres is
 * retryable, everything unknown is `stage.failed` (500, which a broker retries and then dead-letters).
 */
export function toFault(error: unknown): Fault {
  if (Fault.is(error)) return error
  const code = codeOf(error)
  const detail = error instanceof Error ? error.message : String(error)
  if (code !== undefined && (lostConnection.has(code) || (code.length === 5 && passing.includes(code.slice(0, 2))))) {
    return new Fault('store.unavailable', `Postgres: ${detail}`, { cause: error })
  }
  if (code === '42P01' || code === '42703') {
    return new Fault('store.schema-outdated', `Postgres: ${detail}`, { cause: error })
  }
  return new Fault('stage.failed', detail, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
