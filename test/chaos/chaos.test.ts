import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { root } from '../build.ts'
import { apply } from './bundle.ts'
import { plantedBugs } from './planted-bugs.ts'
import { summarise, writeTable } from './report.ts'
import { runChaos } from './run.ts'

/** Law 4, shortly: each fault point once, with a kill or a hang. `make chaos` runs all five faults at all of them. */
test('a process that is killed or hangs at any point: one ticket, every message answered once and in order', async () => {
  const run = await runChaos({ root, adminUrl: inject('adminUrl'), seed: 1, lanes: 4, short: true })
  const bad = [...run.undisturbed, ...run.outcomes].filter(({ problems }) => problems.length > 0)
  expect(bad.map(({ id, problems, transcript }) => ({ id, problems, transcript }))).toEqual([])
  const { points, cases, model_changes } = summarise(run)
  expect(points, writeTable(run)).toBeGreaterThanOrEqual(47)
  expect(cases).toBe(points)
  // A run in which the model never changed its mind would show nothing of law 4's last sentence.
  expect(model_changes).toBeGreaterThan(5)
}, 360_000)

test.each(plantedBugs)('the place for the planted bug "$name" is where it was', async ({ changes }) => {
  // `make chaos-self` plants each and sees that it is found.
  for (const change of changes) {
    const text = await readFile(join(root, change.file), 'utf8')
    expect(apply(text, change)).not.toBe(text)
  }
})
