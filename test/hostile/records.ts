import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { type Line, readShownLines } from './shown-lines.ts'

export type Row = Record<string, string>

/** What an agent may tell: the tables, documents and texts of a folder of agents, read here and not by the code under test. */
export interface Records {
  offers: Row[]
  licences: Row[]
  regions: Row[]
  refreshMonths: number
  yearlyLimit: number
  agents: Row[]
  /** Sentences of all documents, as they are written. */
  sentences: string[]
  /** Titles with the headings below them. */
  citations: Row[]
  lines: Line[]
}

/** `knowledge` gives the facts, `texts` the words around them: the same folder unless one of them is the attack. */
export async function readRecords(knowledge: string, texts = knowledge): Promise<Records> {
  const table = async (file: string) => rowsOf(parse(await readFile(join(knowledge, file), 'utf8')))
  const [policy] = await table('laptop-refresh/knowledge/refresh_policy.yaml')
  const [limit] = await table('software-licence/knowledge/limits.yaml')
  const documents = await readDocuments(knowledge)
  return {
    offers: readCsv(await readFile(join(knowledge, 'laptop-refresh/knowledge/offerings.csv'), 'utf8')),
    licences: await table('software-licence/knowledge/licences.yaml'),
    regions: await table('laptop-refresh/knowledge/regions.yaml'),
    refreshMonths: Number(policy?.['refresh_months']),
    yearlyLimit: Number(limit?.['yearly_limit_eur']),
    agents: await readAgents(texts),
    sentences: documents.flatMap(({ sentences }) => sentences),
    citations: documents.flatMap(({ title, headings }) => headings.map((heading) => ({ title, heading }))),
    lines: await readShownLines(texts),
  }
}

async function readAgents(folder: string): Promise<Row[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('agent.yaml'))
  return Promise.all(files.map(async (file) => rowOf(parse(await readFile(join(folder, file), 'utf8')))))
}

async function readDocuments(folder: string) {
  const files = (await readdir(folder, { recursive: true })).filter(
    (file) => file.endsWith('.md') && basename(dirname(file)) === 'knowledge',
  )
  return Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(join(folder, file), 'utf8')).split('\n')
      const heads = lines.flatMap((line) => /^#{1,6} (.*)$/.exec(line)?.[1] ?? [])
      const [title = '', ...headings] = heads
      const sentences = lines
        .filter((line) => !line.startsWith('#'))
        .flatMap((line) => line.replace(/^\s*(?:[-*+]|\d+\.) |^\|\s*|\s*\|$/g, '').split(/(?<=[.!?…]["'”’)\]]?)\s+/u))
        .map((sentence) => sentence.trim())
        .filter((sentence) => sentence !== '')
      return { title, headings: ['', ...headings], sentences }
    }),
  )
}

function rowsOf(value: unknown): Row[] {
  return Array.isArray(value) ? value.map(rowOf) : []
}

function rowOf(value: unknown): Row {
  const given = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return Object.fromEntries(given.map(([name, field]) => [name, typeof field === 'object' ? '' : String(field)]))
}

/** A table whose cells hold no quotation marks of their own but doubled ones. */
function readCsv(text: string): Row[] {
  const [head = [], ...rows] = [...text.trim().matchAll(/.+/g)].map(([line]) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
      (quoted ?? plain ?? '').replaceAll('""', '"'),
    ),
  )
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])))
}
