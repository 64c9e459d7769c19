import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { removePostgres } from '../postgres/remove.ts'
import { startPostgres } from '../postgres/start.ts'
import { watchDatabase } from './watch-database.ts'

test('a database that goes and comes back is told once each', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-watch-'))
  const server = await startPostgres({ folder, port: 0, settings: { fsync: 'off', shared_buffers: '16MB' } })
  const said: string[] = []
  const over = new AbortController()
  const watching = watchDatabase(server.url, { say: (text) => said.push(text), signal: over.signal, intervalMs: 20 })
  try {
    for (const round of [1, 2]) {
      await server.restart('immediate')
      await vi.waitFor(() => expect(said).toHaveLength(round * 2), 10_000)
    }
    await server.stop()
    await vi.waitFor(() => expect(said).toHaveLength(5), 10_000)
  } finally {
    over.abort()
    await watching
    await server.stop('immediate')
    await removePostgres(folder)
  }
  const away = expect.stringMatching(
    /^The database of DATABASE_URL is away \(.+\)\. What was accepted goes on when it is back\.$/,
  )
  const back = 'The database of DATABASE_URL is back.'
  expect(said).toEqual([away, back, away, back, away])
})
