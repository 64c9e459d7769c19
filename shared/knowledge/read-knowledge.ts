import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { Fault } from '../errors/fault.ts'
import { cutDocument } from './cut-document.ts'
import { parseCsv } from './parse-csv.ts'
import { parseYaml } from './parse-yaml.ts'
import type { Source } from './source.ts'

/** Part of every content hash: raise it when the same file is to be cut differently. */
const form = '1'

/**
 * Reads every agent's `knowledge` folder: tables from `*.yaml` and `*.csv`, documents from `*.md`, each named by its
 * file.
 * @throws Fault `knowledge.invalid` with file and line: a file of another kind, one that cannot be read as what it
 * is, two of the same name, or a folder without agents (which would delete everything that was ingested).
 */
export async function readKnowledge(agentsFolder: string): Promise<Source[]> {
  const entries = await readdir(agentsFolder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Fault('knowledge.invalid', `${agentsFolder}: cannot be read (${error.code})`, { cause: error })
  })
  const agents = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  if (agents.length === 0) throw new Fault('knowledge.invalid', `${agentsFolder}: holds no agent`)
  const sources = await Promise.all(agents.sort().map((agent) => readAgent(agentsFolder, agent)))
  return sources.flat()
}

async function readAgent(agentsFolder: string, agent: string): Promise<Source[]> {
  const folder = join(agentsFolder, agent, 'knowledge')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    // An agent that only routes knows nothing.
    if (error.code === 'ENOENT') return []
    throw error
  })
  const sources: Source[] = []
  for (const fileName of names.filter((name) => !name.startsWith('.')).sort()) {
    const path = join(folder, fileName)
    const source = await readSource(agent, fileName, path, relative(agentsFolder, path))
    if (sources.some(({ name }) => name === source.name)) {
      throw new Fault(
        'knowledge.invalid',
        `${relative(agentsFolder, path)}:1: another file is named ${source.name} too`,
      )
    }
    sources.push(source)
  }
  return sources
}

async function readSource(agent: string, fileName: string, path: string, file: string): Promise<Source> {
  const extension = extname(fileName)
  const name = fileName.slice(0, fileName.length - extension.length)
  if (!['.yaml', '.csv', '.md'].includes(extension)) {
    throw new Fault('knowledge.invalid', `${file}:1: is neither a table (.yaml, .csv) nor a document (.md)`)
  }
  const bytes = await readFile(path)
  const text = decode(file, bytes)
  const contentHash = createHash('sha256').update(`${form}\n${extension}\n`).update(bytes).digest('hex')
  const common = { agent, name, contentHash }
  if (extension === '.md') return { ...common, kind: 'document', ...cutDocument(file, name, text) }
  const rows = extension === '.csv' ? parseCsv(file, text) : parseYaml(file, text)
  // Postgres keeps neither; YAML can spell both.
  const unfit = JSON.stringify(rows, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value))
  if (JSON.stringify(rows) !== unfit || unfit.includes('\\u0000')) {
    throw new Fault('knowledge.invalid', `${file}:1: holds a NUL or half of a surrogate pair`)
  }
  return { ...common, kind: 'records', rows }
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch (error) {
    throw new Fault('knowledge.invalid', `${file}:1: is not UTF-8`, { cause: error })
  }
  throw new Fault('knowledge.invalid', `${file}:1: holds a NUL`)
}
