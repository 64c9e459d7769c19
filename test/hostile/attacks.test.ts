import { expect, test } from 'vitest'
import { createTestDatabase } from '../database.ts'
import { attacks } from './attacks.ts'
import { describeBreach } from './run.ts'
import { runAttacks } from './run-attacks.ts'
import { agentNames, carriers } from './ways.ts'

test('there are sixty attacks and more, of ten kinds and more, and no two are the same', () => {
  expect(new Set(attacks.map(({ text }) => text)).size).toBe(attacks.length)
  expect(attacks.length).toBeGreaterThanOrEqual(60)
  expect(new Set(attacks.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(10)
})

/** A few ways of each kind of attack; `make hostile` takes all. */
test('hostile text does nothing, whatever carries it to whichever agent', async () => {
  const db = await createTestDatabase()
  try {
    const { breaches, tickets, carriers: counts } = await runAttacks(db.database, { ways: 'sample' })
    const told = breaches
      .slice(0, 3)
      .map(({ attack, carrier, agent, transcript }) =>
        [`${attack.kind}, in a ${carrier}, at ${agent}`, describeBreach({ seed: 0, transcript })].join('\n'),
      )
    expect(told.join('\n\n')).toBe('')
    expect(tickets).toBeGreaterThan(10)
    const cells = carriers.flatMap((carrier) => agentNames.map((agent) => counts[carrier].agents[agent] ?? 0))
    expect(cells.every((conversations) => conversations > 0)).toBe(true)
    // Every kind of attack is taken, if not in every way.
    expect(Object.values(counts).reduce((sum, { kinds }) => sum + kinds, 0)).toBeGreaterThanOrEqual(
      new Set(attacks.map(({ kind }) => kind)).size,
    )
  } finally {
    await db.drop()
  }
}, 120_000)
