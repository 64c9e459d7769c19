import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCommand } from './command-line/read-command.ts'
import { writeErrorsPage } from './docs/errors-page.ts'
import { writeEventsPage } from './docs/events-page.ts'

const root = join(import.meta.dirname, '..')
const pages: Record<string, () => string> = {
  'docs/events.md': writeEventsPage,
  'docs/errors.md': writeErrorsPage,
}

const command = readCommand(
  `Usage: npm run docs:write, npm run docs:check
Writes the documents that follow from code: ${Object.keys(pages).join(' and ')}. With --check it only tells which of
them are out of date, and ends with 1 where one is.`,
  { flags: ['check'] },
)
const check = command.has('check')
let stale = 0
for (const [path, write] of Object.entries(pages)) {
  const text = write()
  const before = await readFile(join(root, path), 'utf8').catch(() => '')
  if (before === text) continue
  stale += 1
  if (check) console.error(`${path} is out of date: run npm run docs:write`)
  else {
    await writeFile(join(root, path), text)
    console.log(`wrote ${path}`)
  }
}
process.exitCode = check && stale > 0 ? 1 : 0
