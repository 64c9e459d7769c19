import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readIntegration, readIntegrations } from './read-integrations.ts'

const head = 'title: T\nsources: [s]\ndomains: [company.com]\n'
const file = (mapping: string) => `${head}events:\n  a.b:\n${mapping}`

test('what is shipped has no fault', async () => {
  const { integrations, faults } = await readIntegrations(join(import.meta.dirname, '../../../integrations'))
  expect(faults).toEqual([])
  expect(integrations.get('hr')).toMatchObject({ name: 'hr', others: 'ignore', 'token-in-url': false })
})

test.each([
  ['title: [', 1, /./],
  [head, 1, /^"events" is missing$/],
  [`${head}events: []`, 4, /^"events" must be a map$/],
  [`${head}mood: good\nevents: {}`, 4, /^unknown key "mood"$/],
  [`title: T\nsources: []\ndomains: [company.com]\nevents: {}`, 2, /^"sources" is too short/],
  [`${head}others: drop\nevents: {}`, 4, /^"others" must be "refuse" or "ignore"$/],
  [file('    text: hi\n'), 5, /^"person" is missing$/],
  [file('    person: event.data.email\n'), 5, /^"text" is missing$/],
  [file('    person: event.\n    text: hi\n'), 6, /^"person": /],
  [file('    person: somebody\n    text: hi\n'), 6, /^"person": Unknown variable: somebody$/],
  [
    file('    when: event.data.x.matches("a")\n    person: event.data.email\n    text: hi\n'),
    6,
    /`matches` is not allowed/,
  ],
  [file('    person: event.data.email\n    text: "{% include x %}"\n'), 7, /^"text": /],
  [file('    person: event.data.email\n    text: |\n      hi\n      {{ other }}\n'), 9, /nothing but event: other$/],
  [file('    person: event.data.email\n    text: hi\n    own: true\n'), 8, /^unknown key "own"$/],
])('a fault has its line: %j', (text, line, message) => {
  const { integration, faults } = readIntegration('hr', text)
  expect(integration).toBeNull()
  expect(faults).toEqual([{ line, message: expect.stringMatching(message) }])
})

test('all faults of all files are told, with the names of the files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'integrations-'))
  await writeFile(join(folder, 'b.yaml'), `${head}events: []\nmood: good\n`)
  await writeFile(join(folder, 'A_1.yaml'), `${head}events: {}\n`)
  await writeFile(join(folder, 'c.yaml'), `${head}events: {}\n`)
  await writeFile(join(folder, 'notes.txt'), 'no integration')
  const { integrations, faults } = await readIntegrations(folder)
  expect([...integrations.keys()]).toEqual(['c'])
  expect(faults).toEqual([
    { file: join(folder, 'A_1.yaml'), line: 1, message: expect.stringContaining('no name of a source') },
    { file: join(folder, 'b.yaml'), line: 4, message: '"events" must be a map' },
    { file: join(folder, 'b.yaml'), line: 5, message: 'unknown key "mood"' },
  ])
  await rm(folder, { recursive: true })
})
