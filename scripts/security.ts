import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCommand } from './command-line/read-command.ts'
import { place } from './reliability/section.ts'
import { type AbuseFigures, abuses, abuseTable, readAbuse, routeTable, threatTable } from './security/tables.ts'

const root = join(import.meta.dirname, '..')
const command = readCommand(
  `Usage: make security [ARGS=--check]
Copies what the tests of the door and of the channels tried (reports/abuse-{${Object.keys(abuses).join(',')}}.json, as far as there
are such reports) into docs/figures/abuse.json, and writes the tables of docs/security.md from it, from the table of routes
and from scripts/security/threats.ts. A report by which anything was let in is refused. With --check it writes nothing, looks at
no report, and ends with 1 where the document is out of date.`,
  { flags: ['check'] },
)
const check = command.has('check')
const [page, kept] = [join(root, 'docs/security.md'), join(root, 'docs/figures/abuse.json')]
const read = async (path: string): Promise<string | null> =>
  await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

const figures: AbuseFigures = JSON.parse((await read(kept)) ?? '{}')
let stale = 0
let refused = 0
if (!check) {
  for (const name of Object.keys(abuses)) {
    const text = await read(join(root, `reports/abuse-${name}.json`))
    if (text === null) continue
    const fresh = readAbuse(text)
    if (fresh.letIn === 0) figures[name] = fresh
    else {
      console.error(`reports/abuse-${name}.json is refused: ${fresh.letIn} of ${fresh.tried} were let in.`)
      refused += 1
    }
  }
  await put(kept, `${JSON.stringify(figures, null, 2)}\n`)
}
const tables = { routes: routeTable(), threats: threatTable(), abuse: abuseTable(figures) }
let text = (await read(page)) ?? ''
for (const [name, table] of Object.entries(tables)) text = place(text, name, table)
await put(page, text)
process.exitCode = Number((check && stale > 0) || refused > 0)

async function put(path: string, after: string): Promise<void> {
  if ((await read(path)) === after) return
  stale += 1
  const name = path.slice(root.length + 1)
  if (check) return console.error(`${name} is out of date: run make security`)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, after)
  console.log(`wrote ${name}`)
}
