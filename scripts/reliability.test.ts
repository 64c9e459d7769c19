import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../test/build.ts'
import { chaos } from './reliability/chaos.ts'
import { place } from './reliability/section.ts'
import { fill, sections } from './reliability/sections.ts'

const folder = join(root, 'docs/figures')
const readKept = async (name: string): Promise<unknown> => {
  const names = await readdir(folder)
  return names.includes(`${name}.json`) ? JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) : undefined
}
const document = await readFile(join(root, 'docs/reliability.md'), 'utf8')

test('the tables of docs/reliability.md are what docs/figures says', async () => {
  expect(await fill(document, readKept)).toBe(document)
})

test('every section has its place, and every file of figures its section', async () => {
  for (const { name } of sections) expect(() => place(document, name, '')).not.toThrow()
  // docs/security.md is written from the figures of abuse, by scripts/security.ts.
  const names = new Set(['abuse.json', ...sections.map(({ name }) => `${name}.json`)])
  expect((await readdir(folder)).filter((file) => !names.has(file))).toEqual([])
})

test('the figures are of whole runs that found nothing wrong', async () => {
  for (const one of sections) {
    const figures = await readKept(one.name)
    if (figures !== undefined) expect(one.refuse(figures), one.name).toBeNull()
  }
})

test('a part of a run, or one that found something, is no proof', async () => {
  const whole = Object(await readKept('chaos'))
  expect(chaos.refuse(whole)).toBeNull()
  expect(chaos.refuse({ ...whole, part: 'short' })).toMatch(/a part of the cases \(short\)/)
  expect(chaos.refuse({ ...whole, losses: 1 })).toBe('it has violations')
  expect(() => chaos.read({ ...whole, machine: undefined })).toThrow(/machine/)
})

test.each([
  ['before <!-- a -->\nold\n<!-- /a --> after <!-- b -->b<!-- /b -->', null],
  ['no marker', 'a'],
  ['<!-- /a --> the wrong way round <!-- a -->', 'a'],
  ['<!-- a --><!-- /a --> twice <!-- a --><!-- /a -->', 'a'],
])('a table goes between its markers and nowhere else: %s', (text, missing) => {
  if (missing === null) {
    expect(place(text, 'a', 'new')).toBe('before <!-- a -->\nnew\n<!-- /a --> after <!-- b -->b<!-- /b -->')
  } else expect(() => place(text, 'a', 'new')).toThrow(/needs <!-- a -->/)
})
