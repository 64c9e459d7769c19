import { readFile, writeFile } from 'node:fs/promises'
import * as z from 'zod/mini'
import { agentFile } from '../shared/flow/schema.ts'

// Writes the JSON Schema of agent.yaml for editors; with --check, says whether the file is still what it should be.
const file = 'agents/agent.schema.json'
const schema = { title: 'An agent', ...z.toJSONSchema(agentFile, { io: 'input', reused: 'ref' }) }
const text = `${JSON.stringify(schema, null, 2)}\n`

if (process.argv.includes('--check')) {
  const written = await readFile(file, 'utf8').catch(() => '')
  if (written !== text) {
    console.error(`${file} is not what shared/flow/schema.ts says: run npm run agents:schema`)
    process.exitCode = 1
  }
} else {
  await writeFile(file, text)
}
