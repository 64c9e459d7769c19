import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { ToolCatalogue } from '../../tools/catalogue.ts'
import { type Agent, router } from '../agent.ts'
import { approvals } from './approvals.ts'
import { cycles } from './cycles.ts'
import { decisions } from './decisions.ts'
import type { Finding } from './describe-issue.ts'
import { labels } from './labels.ts'
import { naming } from './naming.ts'
import { readAgent } from './read-agent.ts'
import type { Rule, Subject } from './rule.ts'
import { slots } from './slots.ts'
import type { Source } from './source.ts'
import { surroundings } from './surroundings.ts'
import { targets } from './targets.ts'
import { texts } from './texts.ts'
import { tools } from './tools.ts'

export interface AgentFault {
  file: string
  /** From 1. */
  line: number
  message: string
}

export interface CheckedAgents {
  faults: AgentFault[]
  /** Every agent whose file has the form of one, with the text of the file. */
  agents: { agent: Agent; text: string }[]
}

const rules: Rule[] = [naming, targets, cycles, slots, labels, texts, tools, approvals, decisions, surroundings]

/** Reads and judges every agent of a folder: all faults, by file and line. */
export async function readAgents(folder: string, catalogue: ToolCatalogue): Promise<CheckedAgents> {
  const names = await foldersIn(folder)
  const faults: AgentFault[] = []
  const read: { agent: Agent; text: string; file: string; source: Source }[] = []
  for (const name of names) {
    const file = join(folder, name, 'agent.yaml')
    const text = await readIfThere(file)
    if (text === null) {
      faults.push({ file, line: 1, message: 'the folder of an agent has an agent.yaml' })
      continue
    }
    const { agent, source, findings } = readAgent(text)
    faults.push(...source.faults.map((fault) => ({ file, ...fault })))
    faults.push(...findings.map((finding) => locate(file, source, finding)))
    if (agent !== null) read.push({ agent, text, file, source })
  }
  if (!names.includes(router)) {
    faults.push({
      file: folder,
      line: 1,
      message: `there is no agent "${router}", with which every conversation starts`,
    })
  }
  for (const { agent, file, source } of read) {
    const name = basename(join(file, '..'))
    const subject: Subject = {
      agent,
      folder: name,
      agents: new Set(names),
      tools: catalogue,
      ...(await knowledgeOf(folder, name)),
    }
    faults.push(...rules.flatMap((rule) => rule(subject)).map((finding) => locate(file, source, finding)))
  }
  faults.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
  return { faults, agents: read.map(({ agent, text }) => ({ agent, text })) }
}

function locate(file: string, source: Source, { path, line, message }: Finding): AgentFault {
  return { file, line: line === undefined ? source.lineOf(path) : source.lineInText(path, line), message }
}

async function knowledgeOf(folder: string, agent: string): Promise<{ tables: Set<string>; documents: Set<string> }> {
  const files = await listIfThere(join(folder, agent, 'knowledge'))
  const named = (...endings: string[]) =>
    new Set(files.filter((file) => endings.includes(extname(file))).map((file) => basename(file, extname(file))))
  return { tables: named('.csv', '.yaml'), documents: named('.md') }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
