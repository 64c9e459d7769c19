import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { readAgents } from '../check/check-agents.ts'
import { toolsOf } from '../load.ts'
import { sampleAgents } from './conversation.ts'

/** An agent's file without a fault. */
export const sampleFile = `name: sample
title: Sample
description: a sample
tools: [desk.get_laptop, desk.open_ticket]
slots:
  seats: {type: integer, minimum: 1, maximum: 5, description: how many}
variables: {tries: 0}
anytime:
  back: {means: goes back, examples: [main menu], next: to-router}
start: look-up
steps:
  look-up: {call: desk.get_laptop, arguments: {}, save: employee, failure: bye, next: rows}
  rows: {lookup: rows, where: {a: tries}, save: rows, none: bye, next: show}
  show:
    say: |
      Hello
      {{ employee.name }}
    next: offer
  offer: {ask: How many?, next: reply}
  reply:
    decide: true
    labels:
      some: {means: wants some, examples: [some], affirmative: true, next: pick}
      none: {means: wants none, examples: [nothing], negative: true, next: bye}
    unsure: unclear
  unclear: {say: What?, next: $resume}
  pick: {extract: [seats], none: offer, next: enough}
  enough:
    when:
      - {if: seats > 1, next: confirm-it}
      - {next: find}
  find: {search: message, save: passages, none: offer, next: compose}
  compose: {compose: message, from: passages, save: answer, unanswered: offer, next: note}
  note: {set: {tries: tries + 1}, next: offer}
  confirm-it: {confirm: desk.open_ticket, arguments: {code: '"x"'}, ask: Sure?, expires: 1h, yes: file, no: bye, otherwise: unclear}
  file: {call: desk.open_ticket, approval: confirm-it, failure: bye, next: bye}
  to-router: {handoff: router}
  bye: {end: true}
`

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(sampleAgents, folder, { recursive: true })
  await cp(join(folder, 'laptops'), join(folder, 'sample'), { recursive: true })
  await writeFile(join(folder, 'sample', 'knowledge', 'rows.yaml'), '- {a: 0}\n')
})
afterAll(() => rm(folder, { recursive: true }))

/** The sample's folder, with its agent.yaml and its knowledge: one for each test file. */
export function sampleFolder(): string {
  return join(folder, 'sample')
}

/** The faults of the sample with this text in place of that, as `line: message`. */
export async function faultsOf(from: string | RegExp, to: string): Promise<string[]> {
  const file = join(sampleFolder(), 'agent.yaml')
  const text = sampleFile.replace(from, () => to)
  if (text === sampleFile && from !== '') throw new Error(`the sample has no ${from}`)
  await writeFile(file, text)
  const { faults } = await readAgents(folder, await toolsOf(folder))
  expect(faults.every((fault) => fault.file === file)).toBe(true)
  return faults.map(({ line, message }) => `${line}: ${message}`)
}
