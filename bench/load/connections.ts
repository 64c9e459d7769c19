import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Database } from '../../shared/store/connect.ts'

export interface Connections {
  /** The most connections that were seen at once, by their name. */
  most: Map<string, number>
  /** Session advisory locks that were seen: held by a connection that is in no transaction. */
  advisoryLocks: number
  stop(): Promise<void>
}

/** Milliseconds between two looks. The functions keep an unused connection for 20 seconds, so none is missed. */
const interval = 200

/**
 * Looks at who holds how many connections: in Postgres itself, and behind a pooler in its list of clients, where alone
 * the functions are still to be told apart. A look that fails, since Postgres is just down, is none.
 */
export function watchConnections(admin: Database, consoleUrl: string | null): Connections {
  const console = consoleUrl === null ? null : connect(consoleUrl, { max: 1, name: 'load-console' })
  const most = new Map<string, number>()
  const ending = new AbortController()
  const connections: Connections = {
    most,
    advisoryLocks: 0,
    async stop() {
      ending.abort()
      await watching
      await console?.end({ timeout: 1 })
    },
  }
  const look = async (): Promise<void> => {
    const servers = await admin<{ name: string; count: number }[]>`
      select application_name as name, count(*)::int as count from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' group by 1`
    const clients =
      console === null ? null : await console.unsafe<{ application_name: string }[]>('show clients').simple()
    const held = new Map<string, number>()
    if (clients === null) for (const { name, count } of servers) held.set(name, count)
    else for (const { application_name: name } of clients) held.set(name, (held.get(name) ?? 0) + 1)
    for (const [name, count] of held) most.set(name, Math.max(count, most.get(name) ?? 0))
    const [locks] = await admin<{ count: number }[]>`
      select count(*)::int as count from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and a.datname = current_database() and a.state = 'idle'
        and a.state_change < clock_timestamp() - interval '1 second'`
    connections.advisoryLocks += locks?.count ?? 0
  }
  const watching = (async () => {
    while (!ending.signal.aborted) {
      await look().catch(() => {})
      await pause(interval, undefined, { signal: ending.signal }).catch(() => {})
    }
  })()
  return connections
}
