import { checkAgents, faultLine, toolsOf } from '../shared/flow/index.ts'

// Checks every agent of a folder (default: agents) and prints each fault as file:line: text.
const folder = process.argv[2] ?? 'agents'
const faults = await checkAgents(folder, await toolsOf(folder))
for (const fault of faults) console.error(faultLine(fault))
if (faults.length > 0) {
  console.error(faults.length === 1 ? '1 fault' : `${faults.length} faults`)
  process.exitCode = 1
} else {
  console.log(`${folder}: no faults`)
}
