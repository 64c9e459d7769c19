import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readCommand } from './command-line/read-command.ts'
import type { Section } from './reliability/section.ts'
import { fill, type ReadFigures, sections } from './reliability/sections.ts'

const root = join(import.meta.dirname, '..')
const command = readCommand(
  `Usage: make reliability [ARGS=--check]
Copies the figures of reports/{${sections.map(({ name }) => name).join(',')}}.json, as far as there are such reports, into docs/figures/, and writes
the tables of docs/reliability.md from these, each between its markers. A report of a part of a run, or of one that
found something wrong, is refused. With --check it writes nothing, and ends with 1 where it would have.
The reports come from ${sections.map((one) => one.command).join(', ')}.`,
  { flags: ['check'] },
)
const check = command.has('check')
const path = join(root, 'docs/reliability.md')
let stale = 0
let refused = 0

const readJson = (folder: string): ReadFigures => {
  return async (name) => {
    const text = await readFile(join(root, folder, `${name}.json`), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    return text === undefined ? undefined : JSON.parse(text)
  }
}

async function put(file: string, text: string): Promise<void> {
  stale += 1
  if (check) return console.error(`${file} is not what the reports say: run make reliability`)
  await mkdir(join(root, file, '..'), { recursive: true })
  await writeFile(join(root, file), text)
  console.log(`wrote ${file}`)
}

function judge(one: Section, report: unknown): { fresh: unknown; why: string | null } {
  try {
    const fresh = one.read(report)
    return { fresh, why: one.refuse(fresh) }
  } catch {
    return { fresh: undefined, why: `it is not what ${one.command} writes today` }
  }
}

const [readReport, readKept] = [readJson('reports'), readJson('docs/figures')]
const figures = new Map<string, unknown>()
for (const one of sections) {
  const kept = await readKept(one.name)
  figures.set(one.name, kept)
  const report = await readReport(one.name)
  if (report === undefined) continue
  const { fresh, why } = judge(one, report)
  if (why !== null) {
    // Somebody tried a part of it: what stands in the document is still the last whole run.
    console.error(`reports/${one.name}.json is left out: ${why}.`)
    refused += 1
    continue
  }
  figures.set(one.name, fresh)
  if (!isDeepStrictEqual(fresh, kept)) {
    await put(`docs/figures/${one.name}.json`, `${JSON.stringify(fresh, null, 2)}\n`)
  }
}
const before = await readFile(path, 'utf8')
const after = await fill(before, async (name) => figures.get(name))
if (after !== before) await put('docs/reliability.md', after)
process.exitCode = check ? Number(stale > 0) : Number(refused > 0)
