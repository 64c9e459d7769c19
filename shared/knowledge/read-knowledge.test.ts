import { afterEach, expect, test } from 'vitest'
import { readKnowledge } from './read-knowledge.ts'
import { writeAgents } from './testing/corpus.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

async function read(files: Record<string, string | Uint8Array>) {
  const { folder, remove } = await writeAgents(files)
  cleanups.push(remove)
  return readKnowledge(folder)
}

test('tables and documents of all agents are read, in order, named by their files', async () => {
  const sources = await read({
    'b/knowledge/policy.md': '# Policy\n## Who\nAll.',
    'b/knowledge/limits.yaml': 'limit: 5',
    'a/knowledge/offers.csv': '\ufeffname\nx',
    'a/knowledge/.DS_Store': 'noise',
    'router/agent.yaml': 'name: router',
    'tools.json': '{}',
  })
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/)
  expect(sources).toEqual([
    { agent: 'a', name: 'offers', kind: 'records', contentHash: hash, rows: [{ name: 'x' }] },
    { agent: 'b', name: 'limits', kind: 'records', contentHash: hash, rows: [{ limit: 5 }] },
    {
      agent: 'b',
      name: 'policy',
      kind: 'document',
      contentHash: hash,
      title: 'Policy',
      sections: [{ heading: 'Who', content: 'All.' }],
    },
  ])
})

test('the hash follows the bytes and the kind', async () => {
  const hashes = await Promise.all(
    [
      { 'a/knowledge/t.csv': 'a\nb: 1' },
      { 'a/knowledge/t.csv': 'a\nb: 1' },
      { 'a/knowledge/t.csv': 'a\nb: 1\n' },
      { 'a/knowledge/t.md': 'a\nb: 1' },
    ].map(async (files) => (await read(files as Record<string, string>))[0]?.contentHash),
  )
  expect(hashes[0]).toBe(hashes[1])
  expect(new Set(hashes).size).toBe(3)
})

test.each<[string, Record<string, string | Uint8Array>, string]>([
  ['another kind of file', { 'a/knowledge/t.txt': '' }, 'a/knowledge/t.txt:1: is neither a table'],
  ['a folder in a folder', { 'a/knowledge/more/t.md': 'x' }, 'a/knowledge/more:1: is neither a table'],
  ['two files of one name', { 'a/knowledge/t.md': 'x', 'a/knowledge/t.csv': 'x' }, 'another file is named t too'],
  ['bytes that are no UTF-8', { 'a/knowledge/t.md': new Uint8Array([0x61, 0xff]) }, 'a/knowledge/t.md:1: is not UTF-8'],
  ['a NUL', { 'a/knowledge/t.csv': 'a\nb\0' }, 'a/knowledge/t.csv:1: holds a NUL'],
  ['a NUL in an escape', { 'a/knowledge/t.yaml': 'a: "\\0"' }, 'a/knowledge/t.yaml:1: holds a NUL'],
  ['half a surrogate pair', { 'a/knowledge/t.yaml': 'a: "\\ud800"' }, 'a/knowledge/t.yaml:1: holds a NUL or half'],
  ['no agent', { 'tools.json': '{}' }, 'holds no agent'],
])('%s is refused', async (_, files, message) => {
  await expect(read(files)).rejects.toMatchObject({
    code: 'knowledge.invalid',
    message: expect.stringContaining(message),
  })
})

test('a folder that is not there is refused', async () => {
  await expect(readKnowledge('/nowhere')).rejects.toThrow('/nowhere: cannot be read (ENOENT)')
})
