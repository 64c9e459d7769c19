import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findTool, parseToolCatalogue, readToolCatalogue } from './catalogue.ts'

test('the pinned catalogue has a schema for every answer, and says which tools only read', async () => {
  const catalogue = await readToolCatalogue('agents/tools.json')
  const tools = catalogue['servicenow']?.tools ?? []
  expect(tools.every((tool) => tool.outputSchema !== undefined)).toBe(true)
  expect(findTool(catalogue, 'servicenow.list_open_requests')?.annotations?.readOnlyHint).toBe(true)
  expect(findTool(catalogue, 'servicenow.open_help_request')?.annotations?.readOnlyHint).toBe(false)
  expect(findTool(catalogue, 'servicenow.nothing')).toBeUndefined()
  expect(findTool(catalogue, 'constructor.name')).toBeUndefined()
})

test('what is no catalogue is a fault that names the file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catalogue-'))
  const path = join(folder, 'tools.json')
  await expect(readToolCatalogue(path)).rejects.toMatchObject({ code: 'flow.invalid' })
  await writeFile(path, '{"servicenow": {"tools": [{"name": 1}]}}')
  await expect(readToolCatalogue(path)).rejects.toThrow(path)
  await rm(folder, { recursive: true })
  expect(() => parseToolCatalogue([])).toThrow()
})
