import { mkdir, writeFile } from 'node:fs/promises'
import { checkAgents, drawAgent, faultLine, loadAgents, toolsOf } from '../shared/flow/index.ts'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: npm run agents:draw [-- [--write] NAME...]
Draws agents as Mermaid flowcharts, which GitHub, GitLab and most editors show: all of agents/, or those that are named.
They are printed; with --write they go to docs/agents/<name>.md.`,
  { flags: ['write'], positionals: Number.POSITIVE_INFINITY },
)
const wanted = command.positionals
const faults = await checkAgents('agents', await toolsOf('agents'))
if (faults.length > 0) {
  console.error(faults.map(faultLine).join('\n'))
  process.exit(1)
}
const { byName } = await loadAgents('agents')
const unknown = wanted.filter((name) => !byName.has(name))
if (unknown.length > 0) {
  console.error(`there is no agent ${unknown.join(', ')}: agents/ has ${[...byName.keys()].sort().join(', ')}`)
  process.exit(1)
}

for (const agent of byName.values()) {
  if (wanted.length > 0 && !wanted.includes(agent.name)) continue
  const page = [
    `# ${agent.title}`,
    '',
    `Drawn from \`agents/${agent.name}/agent.yaml\` by \`npm run agents:draw -- --write\`.`,
    '',
    '```mermaid',
    drawAgent(agent).trimEnd(),
    '```',
    '',
  ].join('\n')
  if (command.has('write')) {
    await mkdir('docs/agents', { recursive: true })
    await writeFile(`docs/agents/${agent.name}.md`, page)
  } else {
    console.log(page)
  }
}
