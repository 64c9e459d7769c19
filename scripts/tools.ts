/** Writes agents/tools.json, the pinned tools/list of the MCP servers; `--check` fails where it differs from them. */
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { listServiceNowTools } from '../functions/servicenow/list-tools.ts'
import { canonicalJson } from '../shared/flow/canonical-json.ts'
import { readToolCatalogue, type ToolCatalogue, toJson } from '../shared/tools/catalogue.ts'

const path = fileURLToPath(new URL('../agents/tools.json', import.meta.url))
const live: ToolCatalogue = { servicenow: { tools: await listServiceNowTools() } }

if (process.argv.includes('--check')) {
  const pinned = await readToolCatalogue(path)
  if (canonicalJson(toJson(pinned)) !== canonicalJson(toJson(live))) {
    console.error('agents/tools.json differs from what the tool servers say. Run: sh scripts/node.sh scripts/tools.ts')
    process.exit(1)
  }
  console.log('agents/tools.json is what the tool servers say.')
} else {
  await writeFile(path, `${JSON.stringify(live, null, 2)}\n`)
  const biome = fileURLToPath(new URL('../node_modules/.bin/biome', import.meta.url))
  execFileSync(biome, ['format', '--write', path], { stdio: 'ignore' })
  console.log(`Wrote ${path}`)
}
