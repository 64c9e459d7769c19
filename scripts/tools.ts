import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { listServiceNowTools } from '../functions/servicenow/list-tools.ts'
import { canonicalJson } from '../shared/flow/canonical-json.ts'
import { readToolCatalogue, type ToolCatalogue, toJson } from '../shared/tools/catalogue.ts'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: npm run tools:write, npm run tools:check
Writes agents/tools.json, the tools of every MCP server as it lists them: agents are checked against this file, so that a
server that changes is noticed. With --check it writes nothing, and ends with 1 where the servers say something else.`,
  { flags: ['check'] },
)

const path = fileURLToPath(new URL('../agents/tools.json', import.meta.url))
const live: ToolCatalogue = { servicenow: { tools: await listServiceNowTools() } }

if (command.has('check')) {
  const pinned = await readToolCatalogue(path)
  if (canonicalJson(toJson(pinned)) !== canonicalJson(toJson(live))) {
    console.error('agents/tools.json differs from what the tool servers say. Run: npm run tools:write')
    process.exit(1)
  }
  console.log('agents/tools.json is what the tool servers say.')
} else {
  await writeFile(path, `${JSON.stringify(live, null, 2)}\n`)
  const biome = fileURLToPath(new URL('../node_modules/.bin/biome', import.meta.url))
  execFileSync(biome, ['format', '--write', path], { stdio: 'ignore' })
  console.log(`Wrote ${path}`)
}
