import { expect, test } from 'vitest'
import { createTestDatabase } from '../database.ts'
import { attacks } from './attacks.ts'
import { describeBreach } from './run.ts'
import { runAttacks } from './run-attacks.ts'

test('there are sixty attacks and more, of ten kinds and more, and no two are the same', () => {
  expect(new Set(attacks.map(({ text }) => text)).size).toBe(attacks.length)
  expect(attacks.length).toBeGreaterThanOrEqual(60)
  expect(new Set(attacks.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(10)
})

/** One way for each attack; `make hostile` takes all eight. */
test('hostile text does nothing, in words, records, tickets, documents and tables', async () => {
  const db = await createTestDatabase()
  try {
    const { breaches, conversations, tickets } = await runAttacks(db.database, { every: 8 })
    const told = breaches
      .slice(0, 3)
      .map(({ attack, place, transcript }) =>
        [`${attack.kind}, in a ${place}`, describeBreach({ seed: 0, transcript })].join('\n'),
      )
    expect(told.join('\n\n')).toBe('')
    expect(conversations).toBe(attacks.length)
    expect(tickets).toBeGreaterThan(10)
  } finally {
    await db.drop()
  }
}, 120_000)
