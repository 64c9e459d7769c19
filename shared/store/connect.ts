import postgres from 'postgres'
import { openSteadySockets } from './steady-socket.ts'

// biome-ignore lint/complexity/noBannedTypes: {} is how the driver spells "no custom types".
type NoTypes = {}
/** A pool or a transaction: what every store function takes first. */
export type Sql = postgres.ISql<NoTypes>
/** A pool, from which transactions begin. */
export type Database = postgres.Sql<NoTypes>
/** An open transaction. */
export type Transaction = postgres.TransactionSql<NoTypes>

export interface ConnectOptions {
  /** Connections at most; default 2 (law 8). */
  max?: number
  /** Seconds after which an unused connection is closed; default 20. */
  idleSeconds?: number
  /** Who holds the connection, as pg_stat_activity shows it. */
  name?: string
}

/**
 * Opens a pool that is safe behind PgBouncer in transaction mode (law 8): no prepared statements, no type look-up, and
 * no start-up parameter but the name, which PgBouncer tracks. Connects on first use.
 */
export function connect(url: string, options: ConnectOptions = {}): Database {
  const pool = postgres(url, {
    max: options.max ?? 2,
    idle_timeout: options.idleSeconds ?? 20,
    connect_timeout: 5,
    // Seconds before the next try to connect. The driver's own go up to 20, with an event waiting in a healthy function.
    backoff: (retries) => Math.min(0.01 * 2 ** retries, 1),
    prepare: false,
    fetch_types: false,
    connection: { application_name: options.name ?? 'self-service-agent' },
    onnotice: () => {},
    // An option of the driver's that its types leave out.
    ...{ socket: openSteadySockets() },
  })
  pool.begin = beginOn(pool)
  return pool
}

/**
 * The driver's `begin`, without what it does when the connection is lost within a transaction (3.4.9): it sends a
 * rollback into the closed socket, which throws past every catch and ends the process, and it lets statements that come
 * later run on whatever that connection became. Here the work's error is the answer at once, and later statements fail.
 */
function beginOn(pool: Database): Database['begin'] {
  const begin = pool.begin.bind(pool)
  const run = (first: string | Work, second?: Work): Promise<unknown> => {
    const [options, work] = typeof first === 'string' ? [first, second] : ['', first]
    const lost = Promise.withResolvers<never>()
    let over = false
    const guarded = async (sql: Transaction): Promise<unknown> => {
      // Sent together with the first statement of the work, so that it costs no round trip of its own.
      sql.unsafe(`set local idle_in_transaction_session_timeout = ${idleInTransactionMs}`).catch(() => {})
      try {
        return await work?.(
          new Proxy(sql, {
            apply(target, self, given) {
              if (over) throw Object.assign(new Error('The transaction is over'), { code: 'CONNECTION_CLOSED' })
              return Reflect.apply(target, self, given)
            },
          }),
        )
      } catch (error) {
        if (!isLost(error)) throw error
        lost.reject(error)
        return new Promise<never>(() => {})
      }
    }
    return Promise.race([lost.promise, begin(options, guarded)]).finally(() => {
      over = true
    })
  }
  // One function for both of the driver's overloads, which differ in the first argument.
  return run as Database['begin']
}

/**
 * A process that hangs within a transaction would hold its session's lock until the network gives it up. This long
 * between two statements, and Postgres ends it instead: as long as a lease lives, and a hundred times what one needs.
 */
const idleInTransactionMs = 3_000

type Work = (sql: Transaction) => unknown

/** Whether the connection itself is gone: a socket's error, or a server's last words. */
function isLost(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const code = 'code' in error ? String(error.code) : ''
  const severity = 'severity' in error ? String(error.severity) : ''
  return severity === 'FATAL' || /^(CONNECTION_|ECONN|EPIPE|ERR_STREAM_)/.test(code)
}
