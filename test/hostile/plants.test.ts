import { expect, test } from 'vitest'
import { createTestDatabase } from '../database.ts'
import { actsOf } from './acts.ts'
import { plants } from './plants.ts'
import { describeBreach, runConversations } from './run.ts'

/** The judges are judged: each bug, put in from outside, is found by the conversations that find none in the product. */
test.each(Object.entries(plants))('a planted bug is caught: %s', async (_name, plant) => {
  const db = await createTestDatabase()
  try {
    const all = Array.from({ length: 80 }, (_, index) => 1 + index)
    const seeds = all.filter((seed) => plant.isAbout?.(actsOf(seed)) ?? seed <= 40)
    const { breaches } = await runConversations(db.database, seeds, { plant, mostBreaches: 1, shortens: false })
    const [breach] = breaches
    expect(breach === undefined ? 'nothing' : describeBreach(breach)).toContain('! ')
    const kinds = breach?.transcript.violations.map(({ kind }) => kind) ?? []
    expect(plant.caughtAs.filter((kind) => !kinds.includes(kind))).toEqual([])
  } finally {
    await db.drop()
  }
})

test('a transcript is shortened to what the bug needs', async () => {
  const db = await createTestDatabase()
  const plant = plants["another person's address in a tool call"]
  const lengths = new Map<number, number>()
  try {
    const { breaches } = await runConversations(db.database, [1, 2, 3, 4], {
      ...(plant && { plant }),
      mostBreaches: 2,
      onConversation: (seed, { exchanges }) => lengths.set(seed, exchanges.length),
    })
    const saved = breaches.map(({ seed, transcript }) => (lengths.get(seed) ?? 0) - transcript.exchanges.length)
    expect(Math.min(...saved)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...saved)).toBeGreaterThan(0)
  } finally {
    await db.drop()
  }
})
