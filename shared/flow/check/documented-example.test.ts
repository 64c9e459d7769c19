import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sampleAgents } from '../testing/conversation.ts'
import { readAgents } from './check-agents.ts'

test('the example in docs/agents.md is an agent without faults', async () => {
  const page = await readFile(new URL('../../../docs/agents.md', import.meta.url), 'utf8')
  const example = /^name: parking\n.*?(?=^```)/ms.exec(page)?.[0] ?? ''
  const folder = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(join(sampleAgents, 'router'), join(folder, 'router'), { recursive: true })
  await mkdir(join(folder, 'parking', 'knowledge'), { recursive: true })
  await writeFile(join(folder, 'parking', 'agent.yaml'), example)
  await writeFile(join(folder, 'parking', 'knowledge', 'sites.yaml'), '- {Name: North, Code: n, open: true}\n')
  const inputSchema = { type: 'object', properties: { site: {}, plate: {} }, required: ['site', 'plate'] }
  const tools = { facilities: { tools: [{ name: 'reserve_space', description: '', inputSchema }] } }
  expect((await readAgents(folder, tools)).faults).toEqual([])
  await rm(folder, { recursive: true })
})
