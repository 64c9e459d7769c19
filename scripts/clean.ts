import { join } from 'node:path'
import { findRunningDemo } from '../local/platform/running-demo.ts'
import { removePostgres } from '../local/postgres/remove.ts'

/**
 * The part of `make clean` that `rm` cannot do: removes the demo's database, wherever its files had to be put. Refuses
 * while a demo runs from this checkout, before anything is touched.
 */
const data = join(import.meta.dirname, '..', '.data')

async function clean(): Promise<void> {
  const demo = await findRunningDemo(data)
  if (demo !== null) {
    throw new Error(`A demo is running from this checkout (process ${demo.pid}): stop it first, with Ctrl-C there.`)
  }
  await removePostgres(join(data, 'postgres'))
}

clean().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
