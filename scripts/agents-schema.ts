import { readFile, writeFile } from 'node:fs/promises'
import { editorSchema } from '../shared/flow/editor-schema.ts'

// Writes the JSON Schema of agent.yaml for editors; with --check, says whether the file is still what it should be.
const file = 'agents/agent.schema.json'

if (process.argv.includes('--check')) {
  const written = await readFile(file, 'utf8').catch(() => '')
  if (written !== editorSchema()) {
    console.error(`${file} is not what shared/flow/schema.ts says: run npm run agents:schema`)
    process.exitCode = 1
  }
} else {
  await writeFile(file, editorSchema())
}
