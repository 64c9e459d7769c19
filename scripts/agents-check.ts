import { checkAgents, faultLine, toolsOf } from '../shared/flow/index.ts'
import { readCommand } from './command-line/read-command.ts'

const { positionals } = readCommand(
  `Usage: npm run agents:check [-- FOLDER]
Checks every agent of a folder (default: agents) and prints each fault with its file and line: steps that nothing leads
to, names that are not there, branches that are missing, writes without a confirm. Ends with 1 where there is a fault.`,
  { positionals: 1 },
)
const folder = positionals[0] ?? 'agents'
const faults = await checkAgents(folder, await toolsOf(folder))
for (const fault of faults) console.error(faultLine(fault))
if (faults.length > 0) {
  console.error(faults.length === 1 ? '1 fault' : `${faults.length} faults`)
  process.exitCode = 1
} else {
  console.log(`${folder}: no faults`)
}
