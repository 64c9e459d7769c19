import { readIntegrations } from '../shared/channels/events/read-integrations.ts'
import { readCommand } from './command-line/read-command.ts'

const { positionals } = readCommand(
  `Usage: npm run integrations:check [-- FOLDER]
Checks every file of a folder (default: integrations) that maps the events of a system to messages, and prints each
fault with its file and line. Ends with 1 where there is a fault.`,
  { positionals: 1 },
)
const folder = positionals[0] ?? 'integrations'
const { faults } = await readIntegrations(folder)
for (const { file, line, message } of faults) console.error(`${file}:${line}: ${message}`)
if (faults.length > 0) {
  console.error(faults.length === 1 ? '1 fault' : `${faults.length} faults`)
  process.exitCode = 1
} else {
  console.log(`${folder}: no faults`)
}
