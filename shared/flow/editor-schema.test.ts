import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { editorSchema } from './editor-schema.ts'
import { sampleAgents } from './testing/conversation.ts'

const validate = new Ajv2020({ strictTypes: false, strictRequired: false }).compile(JSON.parse(editorSchema()))

test.each(['router', 'laptops'])('the sample agent %s fits the schema', async (name) => {
  validate(parse(await readFile(join(sampleAgents, name, 'agent.yaml'), 'utf8')))
  expect(validate.errors).toBeNull()
})

test.each([
  ['an unknown key', { mood: 'good' }],
  ['a step without a verb', { steps: { a: { next: 'a' } } }],
  ['a step with two verbs', { steps: { a: { say: 'x', handoff: 'y', next: 'a' } } }],
  ['a step without its branch', { steps: { a: { search: 'message', save: 'x', next: 'a' } } }],
  ['a slot of no type', { slots: { a: { type: 'date', description: 'x' } } }],
  ['a step name that is none', { steps: { A: { end: true } } }],
])('%s does not', (_, part) => {
  const agent = { name: 'a', title: 'A', description: 'a', start: 'a', steps: { a: { end: true } } }
  expect(validate(agent)).toBe(true)
  expect(validate({ ...agent, ...part })).toBe(false)
})
