import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removePostgres } from '../../local/postgres/remove.ts'
import { startPostgres } from '../../local/postgres/start.ts'

/** A Postgres for one run. It never waits for the disk: here processes die, not the machine. */
export async function withPostgres<T>(work: (adminUrl: string) => Promise<T>): Promise<T> {
  const shared = await statfs('/dev/shm').catch(() => null)
  const place = shared !== null && shared.bavail * shared.bsize > 2 ** 30 ? '/dev/shm' : tmpdir()
  const folder = await mkdtemp(join(place, 'self-service-agent-chaos-'))
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' }
  try {
    const server = await startPostgres({ folder, port: 0, settings })
    try {
      return await work(server.url)
    } finally {
      await server.stop('immediate')
      await removePostgres(folder)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
