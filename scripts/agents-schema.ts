import { readFile, writeFile } from 'node:fs/promises'
import { editorSchema } from '../shared/flow/editor-schema.ts'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: npm run agents:schema [-- --check]
Writes agents/agent.schema.json, the JSON Schema of agent.yaml by which an editor completes and checks it. With --check
it writes nothing, and ends with 1 where the file is not what it should be.`,
  { flags: ['check'] },
)
const file = 'agents/agent.schema.json'

if (command.has('check')) {
  const written = await readFile(file, 'utf8').catch(() => '')
  if (written !== editorSchema()) {
    console.error(`${file} is not what shared/flow/schema.ts says: run npm run agents:schema`)
    process.exitCode = 1
  }
} else {
  await writeFile(file, editorSchema())
}
