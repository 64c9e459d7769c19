import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: make test [ARGS="PATH..."]
Runs the tests, all or those below the paths, and closes with one line of counts. A skipped test fails the run: what is
left out quietly is not proven. For one test by its name run Vitest itself, which skips the others:
sh scripts/node.sh node_modules/vitest/vitest.mjs run PATH -t NAME`,
  { positionals: Number.POSITIVE_INFINITY },
)
const root = join(import.meta.dirname, '..')
const report = join(root, 'reports/tests.json')
await mkdir(join(root, 'reports'), { recursive: true })
await rm(report, { force: true })

const vitest = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...command.positionals,
  ],
  { cwd: root, stdio: 'inherit' },
)
const code = await new Promise<number>((resolve) => vitest.once('exit', (exit) => resolve(exit ?? 1)))

const counts = z
  .object({ numPassedTests: z.int(), numFailedTests: z.int(), numPendingTests: z.int(), numTodoTests: z.int() })
  .parse(JSON.parse(await readFile(report, 'utf8')))
const skipped = counts.numPendingTests + counts.numTodoTests
if (skipped > 0) console.error(`${skipped} tests were skipped: each must run or go.`)
console.log(`\n${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${skipped} skipped`)
process.exitCode = code !== 0 || skipped > 0 ? 1 : 0
