import { cpus, totalmem } from 'node:os'
import type { Case, Situation } from './cases.ts'
import { fieldIsExpected } from './judge.ts'
import { type Figures, figuresOf, type Outcome } from './run-cases.ts'

/** What a report says about its run. */
export interface Run {
  /** Name of the file of cases, without its folder. */
  file: string
  /** SHA-256 (hex) of that file. */
  fileHash: string
  date: Date
  model: { name: string; local: boolean }
  machine: string
  outcomes: Outcome[]
}

/** The file of which the report may say how it was made. */
const blindFile = 'paraphrases.json'

const meanings: Record<Situation, string> = {
  'first-message':
    'The first words of a conversation. Judged by who answers: the specialist, or the router with its list of what it can do (`capabilities`, also in answer to a greeting) or with a question back (`unsure`).',
  offer:
    'The reply to "Would you like to see the laptops you can choose from?". `proceed`: the laptops are listed. `decline`: the conversation is closed with nothing opened. `question`: it is taken as a question, answered from the documents or the record (or told that they have no answer), and the offer stands. `back`: the router or another specialist answers.',
  pick: 'The reply to the list of four laptops. Judged by the laptop that the confirmation names and that the approval in Postgres would order; `null`: none.',
  confirm:
    'The reply to "Shall I open the ticket?". `yes`: the ticket is in ServiceNow. `no`: no ticket and no approval left open. `neither`: no ticket, and the approval is still open.',
  'licence-details':
    'The first words of a conversation that ask for a licence. Right only if the router finds the specialist and product, seats, cost centre and whether a reason was given are all as expected.',
}

export function describeMachine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${first?.model.trim() || 'unknown processor'}, ${memory} GiB, ${process.platform} ${process.arch}, Node.js ${process.version}`
}

/** The report as a page (Markdown). */
export function writePage(run: Run): string {
  const figures = figuresOf(run.outcomes)
  return [
    '# Evaluation',
    'Written by `evaluations/run.ts`; do not edit.',
    ...provenance(run),
    markdownTable(tableOf(figures)),
    ...licenceSection(run.outcomes),
    '## What counts as right',
    figures
      .flatMap(({ situation }) => (situation === 'all' ? [] : [`- **${situation}.** ${meanings[situation]}`]))
      .join('\n'),
    ...missSection(run.outcomes),
    '## The run',
    [
      `- Date: ${run.date.toISOString().slice(0, 10)}`,
      `- Model: ${modelLine(run)}`,
      `- Messages: \`${run.file}\`, SHA-256 \`${run.fileHash.slice(0, 16)}\``,
      `- Machine: ${run.machine}`,
    ].join('\n'),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}

function provenance({ file, model }: Run): string[] {
  const blind =
    file === blindFile
      ? 'The messages were made by a writer who saw neither the flows nor the code. They were run once; the figure is published whatever it is.'
      : `The messages are those of \`${file}\`; nothing is claimed about how they were made.`
  const lexical =
    'The model of this run is the local one: it is lexical (similarity of words, patterns, known values) and no language model. The figure says nothing about a language model behind `LLM_URL`.'
  return [
    `Each message goes through the whole agent: the real stages, Postgres, the MCP tool server with the ServiceNow mock, and the model. What counts is what the employee sees and what stands in Postgres afterwards, not what a classifier said. ${blind}`,
    model.local ? lexical : `The model of this run is ${text(model.name)}.`,
  ]
}

function modelLine({ model }: Run): string {
  return model.local ? `${text(model.name)} (\`local/model\`: lexical, no language model)` : text(model.name)
}

function missSection(outcomes: Outcome[]): string[] {
  const missed = outcomes.flatMap((outcome) => (outcome.ran && !outcome.right ? [outcome] : []))
  const notRun = outcomes.flatMap((outcome) => (outcome.ran ? [] : [outcome]))
  const rows = missed.map(({ case: { id, situation, message, expect }, got }) => [
    String(id),
    situation,
    text(message),
    text(valuesOf(expect)),
    text(valuesOf(got)),
  ])
  const sections = ['## Misses']
  sections.push(
    rows.length === 0 ? 'None.' : markdownTable([['id', 'situation', 'message', 'expected', 'got'], ...rows]),
  )
  if (notRun.length > 0) {
    sections.push('## Not run', 'These count as not right.')
    sections.push(markdownTable([['id', 'why'], ...notRun.map(({ case: { id }, why }) => [String(id), text(why)])]))
  }
  return sections
}

/** The report as lines for a terminal. */
export function writeText(run: Run): string {
  const table = tableOf(figuresOf(run.outcomes))
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  const details = run.outcomes.flatMap((outcome) => {
    const { id, situation, message, expect } = outcome.case
    const words = JSON.stringify(message)
    if (!outcome.ran) return [`not run  ${id}  ${situation}  ${words}: ${JSON.stringify(outcome.why)}`]
    if (outcome.right) return []
    return [
      `miss  ${id}  ${situation}  ${words}\n      expected ${valuesOf(expect)}\n      got      ${valuesOf(outcome.got)}`,
    ]
  })
  const fields = licenceFields(run.outcomes).map(([field, right, of]) => `${field} ${right}/${of}`)
  return [
    ...details,
    '',
    ...lines,
    ...(fields.length === 0 ? [] : ['', `licence details by field: ${fields.join(', ')}`]),
    '',
    `date     ${run.date.toISOString().slice(0, 10)}`,
    `model    ${run.model.name}${run.model.local ? ' (local/model: lexical, no language model)' : ''}`,
    `messages ${run.file}, SHA-256 ${run.fileHash.slice(0, 16)}`,
    `machine  ${run.machine}`,
    '',
  ].join('\n')
}

/** The report for programs. */
export function writeJson(run: Run): string {
  const { outcomes, ...about } = run
  const cases = outcomes.map((outcome) => {
    if (!outcome.ran) return { ...outcome.case, ran: false, why: outcome.why }
    const { answeredBy, answer, modelCalls, inputTokens, outputTokens, milliseconds } = outcome.observed
    const { right, got } = outcome
    const cost = { modelCalls, inputTokens, outputTokens, milliseconds: Math.round(milliseconds) }
    return { ...outcome.case, ran: true, right, got, answeredBy, answer, ...cost }
  })
  return `${JSON.stringify({ ...about, figures: figuresOf(outcomes), cases }, null, 2)}\n`
}

function tableOf(figures: Figures[]): string[][] {
  return [
    ['situation', 'n', 'right', '%', 'by code alone', 'model calls a message', 'tokens a message (in + out)'],
    ...figures.map((row) => {
      const ran = row.messages - row.notRun
      const each = (total: number, digits: number) => (ran === 0 ? '–' : (total / ran).toFixed(digits))
      return [
        row.situation,
        String(row.messages),
        String(row.right),
        ((100 * row.right) / row.messages).toFixed(1),
        String(row.withoutModel),
        each(row.modelCalls, 2),
        `${each(row.inputTokens, 0)} + ${each(row.outputTokens, 0)}`,
      ]
    }),
  ]
}

function licenceSection(outcomes: Outcome[]): string[] {
  const fields = licenceFields(outcomes)
  if (fields.length === 0) return []
  const rows = fields.map(([field, right, of]) => [field, String(of), String(right)])
  return ['Of the licence details, field by field:', markdownTable([['field', 'n', 'right'], ...rows])]
}

/** Of the messages with licence details that were run: each field, how often it was right, of how many. */
function licenceFields(outcomes: Outcome[]): [string, number, number][] {
  const ran = outcomes.flatMap((outcome) =>
    outcome.ran && outcome.case.situation === 'licence-details'
      ? [{ expect: outcome.case.expect, got: outcome.got }]
      : [],
  )
  const [first] = ran
  if (first === undefined) return []
  return Object.keys(first.expect).map((field) => {
    const right = ran.filter(({ expect, got }) =>
      Object.entries(expect).some(([name, value]) => name === field && fieldIsExpected(field, value, got[field])),
    )
    return [field, right.length, ran.length]
  })
}

function valuesOf(fields: Case['expect'] | Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([field, value]) => `${field}: ${JSON.stringify(value)}`)
    .join(', ')
}

function markdownTable(rows: string[][]): string {
  const [head = [], ...body] = rows
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}

/** Somebody else's words as Markdown shows them and nothing more. */
function text(words: string): string {
  return words.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#&~]/g, (character) => `\\${character}`)
}
