import { join } from 'node:path'
import { findRunningDemo } from '../local/platform/running-demo.ts'
import { removePostgres } from '../local/postgres/remove.ts'
import { readCommand } from './command-line/read-command.ts'

readCommand(`Usage: make clean
Removes the demo's data and everything that was built. This script is the part that rm cannot do: the demo's database,
wherever its files had to be put. It refuses, before anything is touched, while a demo runs from this checkout.`)
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
