import postgres from 'postgres'

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
  return postgres(url, {
    max: options.max ?? 2,
    idle_timeout: options.idleSeconds ?? 20,
    connect_timeout: 5,
    prepare: false,
    fetch_types: false,
    connection: { application_name: options.name ?? 'self-service-agent' },
    onnotice: () => {},
  })
}
