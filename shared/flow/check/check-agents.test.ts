import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAgents, toolsOf } from '../load.ts'
import { sampleAgents } from '../testing/conversation.ts'
import { faultsOf } from '../testing/sample-file.ts'
import { readAgents } from './check-agents.ts'

test('the sample has no fault', async () => {
  expect(await faultsOf('', '')).toEqual([])
})

test('the folder itself: an agent without a file, no router, every fault in one error', async () => {
  const other = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(join(sampleAgents, 'laptops'), join(other, 'laptops'), { recursive: true })
  await mkdir(join(other, 'empty'))
  const { faults } = await readAgents(other, await toolsOf(sampleAgents))
  expect(faults).toEqual([
    { file: other, line: 1, message: 'there is no agent "router", with which every conversation starts' },
    { file: join(other, 'empty', 'agent.yaml'), line: 1, message: 'the folder of an agent has an agent.yaml' },
    { file: join(other, 'laptops', 'agent.yaml'), line: expect.any(Number), message: 'there is no agent "router"' },
  ])
  // Without a tools.json no tool is known.
  await expect(loadAgents(other)).rejects.toMatchObject({
    code: 'flow.invalid',
    message: expect.stringMatching(
      /agent\.yaml:5: there is no tool "desk\.get_laptop"\n(.*\n)*.*there is no agent "router"/,
    ),
  })
  await rm(other, { recursive: true })
})
