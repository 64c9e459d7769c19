import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const draw = (...names: string[]) => promisify(execFile)(process.execPath, ['scripts/agents-draw.ts', ...names])

test('names pick the agents that are drawn; none draws all', async () => {
  const { stdout: one } = await draw('router')
  expect(one.match(/^# .+$/gm)).toEqual(['# Self-service'])
  const { stdout: all } = await draw()
  expect(all.match(/^# .+$/gm)?.length).toBeGreaterThan(2)
})

test('an unknown name is said in one line, with the names that there are', async () => {
  const failed = draw('router', 'nobody')
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^there is no agent nobody: agents\/ has .*router.*\n$/),
  })
})
