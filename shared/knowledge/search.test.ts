import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { ingest } from './ingest.ts'
import type { Ranker } from './rankers.ts'
import { readKnowledge } from './read-knowledge.ts'
import { fuse, search } from './search.ts'
import { policies, writeAgents } from './testing/corpus.ts'

let fresh: TestDatabase
beforeAll(async () => {
  const files = Object.entries(policies).map(([name, text]) => [`help/knowledge/${name}`, text])
  const other = { 'other/knowledge/secret.md': '# Secret\nThe printer of the other agent is called Zebulon.' }
  const { folder, remove } = await writeAgents({ ...Object.fromEntries(files), ...other })
  fresh = await createTestDatabase()
  await ingest(fresh.database, await readKnowledge(folder))
  await remove()
})
afterAll(() => fresh.drop())

async function find(query: string, limit = 4) {
  const passages = await search(fresh.database, { agent: 'help', query, limit })
  return passages.map(({ name, heading }) => `${name}: ${heading}`)
}

// The first passage must be this one.
test.each([
  // In the words of the document.
  ['forgotten password', 'passwords: Forgotten password'],
  ['how do I change my password?', 'passwords: Changing your password'],
  ['my account is locked', 'passwords: Locked account'],
  ['What does error 809 mean', 'vpn: Error 809'],
  ['paper jam in the printer', 'printing: Paper jam'],
  ['how long is a file kept', 'backup: What is kept'],
  ['restore a deleted file', 'backup: Restoring a file'],
  ['I lost my badge', 'badge: Lost badge'],
  ['VPN', 'vpn: '],
  // In other forms of the words, and wordy.
  ['I was travelling and the vpn would not connect abroad', 'vpn: Travelling abroad'],
  ['Hello, could you please tell me how guests get onto the wi-fi? Thanks a lot, Bob', 'wifi: Guests'],
  ['registering visitors', 'badge: Visitors'],
  [
    'Hi team, since this morning my printer is out of toner, whom do I have to call about that?',
    'printing: Out of toner',
  ],
  // Mistyped.
  ['forgoten pasword', 'passwords: Forgotten password'],
  ['prniter out of tonner', 'printing: Out of toner'],
  ['phising', 'mail: Phishing'],
  ['shared mialbox', 'mail: Shared mailboxes'],
  ['travelng abraod', 'vpn: Travelling abroad'],
  // Joined and taken apart.
  ['guest wifi', 'wifi: Guests'],
  ['wi fi for guests', 'wifi: Guests'],
  ['email phishing', 'mail: Phishing'],
  ['pass word forgotten', 'passwords: Forgotten password'],
  // Identifiers, in whatever spelling.
  ['XPS-13-9340', 'monitors: Home office monitor'],
  ['xps 13 9340', 'monitors: Home office monitor'],
  ['xps139340', 'monitors: Home office monitor'],
  ['u2723qe', 'monitors: Home office monitor'],
  ['corp_guest', 'wifi: Guests'],
  ['FOLLOWME', 'printing: Adding a printer'],
  ['vpn.example.com', 'vpn: Connecting'],
  ['phish@example.com', 'mail: Phishing'],
  ['id.example.com', 'passwords: Changing your password'],
  ['port 4500', 'vpn: Error 809'],
])('%j finds first %j', async (query, expected) => {
  expect((await find(query))[0]).toBe(expected)
})

// The floor: one everyday word that a document happens to have is no answer.
test.each([
  "What's the weather like today?",
  'Who won the match last night',
  'Can you recommend a good restaurant for lunch?',
  'I would like to know the capital of France',
  'How do I cook rice?',
  'when is payday',
  'Tell me a joke about lawyers please',
  'What is the meaning of life and everything',
  'whether the board meets again',
  'Zebulon',
  'xps139341',
  'the of and',
])('%j finds nothing', async (query) => {
  expect(await find(query)).toEqual([])
})

test.each([
  ['nothing', ''],
  ['blanks', ' \t\n '],
  ['only punctuation', `'";:!?()[]{}<>|&*\\/-_=+.,~\`@#$%^`],
  ['only emoji', '🖨️🔥😀👍🏽'],
  ['a lone NUL', '\0'],
  ['a lone surrogate', '\ud800'],
])('%s finds nothing', async (_, query) => {
  expect(await find(query)).toEqual([])
})

test.each([
  ['tsquery operators', "printer & | ! <-> :* ( 'jam' ):AB"],
  ['quotes and backslashes', `pap'er "jam" \\' \\\\ printer'); drop table passages; --`],
  ['NUL and zero width', 'pri\0nter paper\u200b jam printer'],
  ['emoji', '🖨️ printer 🔥 jam 😀'],
  ['half a surrogate pair', 'printer jam \udc00'],
  ['like patterns', '%printer_ paper% jam'],
  ['an SQL parameter', 'printer jam $1 $2'],
  ['ten kilobytes', `printer jam ${'lorem ipsum dolor '.repeat(600)}`],
  ['one word of ten kilobytes', `printer jam ${'x'.repeat(10_000)}`],
])('%s in a query are words like any other', async (_, query) => {
  expect((await find(query, 20)).some((one) => one.startsWith('printing: '))).toBe(true)
})

test('no text at all makes a search fail', async () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...`'"\\:&|!()<->*% \0ab1-._/@é`) }),
  )
  await fc.assert(
    fc.asyncProperty(nasty, async (query) => {
      expect(Array.isArray(await find(query))).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('passages come best first, whole, no more than asked for, and of this agent only', async () => {
  const passages = await search(fresh.database, { agent: 'help', query: 'printer', limit: 2 })
  expect(passages).toHaveLength(2)
  expect(passages[0]?.score).toBeGreaterThan(passages[1]?.score ?? Number.NaN)
  const [jam] = await search(fresh.database, { agent: 'help', query: 'paper jam', limit: 1 })
  expect(jam).toEqual({
    name: 'printing',
    title: 'Printing',
    heading: 'Paper jam',
    content: 'Open flap B, pull the paper out in the direction of the arrow, and close the flap again.',
    score: expect.any(Number),
  })
  const others = await search(fresh.database, { agent: 'other', query: 'printer', limit: 9 })
  expect(others.map(({ name }) => name)).toEqual(['secret'])
  expect(await search(fresh.database, { agent: 'nobody', query: 'printer', limit: 9 })).toEqual([])
})

test('another ranker is one more list in the fusion', async () => {
  const byMeaning: Ranker = async () => [{ name: 'badge', number: 3 }]
  const passages = await search(fresh.database, { agent: 'help', query: 'who is at the door', limit: 9 }, [byMeaning])
  expect(passages.map(({ heading, score }) => ({ heading, score }))).toEqual([{ heading: 'Visitors', score: 1 / 61 }])
})

test('what two lists agree on comes before what one list has first', () => {
  const one = (number: number) => ({ name: 'a', number })
  const fused = fuse([
    [one(1), one(2), one(3)],
    [one(4), one(2), one(5)],
  ])
  expect(fused.map(({ number }) => number)).toEqual([2, 1, 4, 3, 5])
  expect(fused[0]?.score).toBeCloseTo(2 / 62)
})
