import { mkdir, writeFile } from 'node:fs/promises'
import { checkAgents, drawAgent, faultLine, loadAgents, toolsOf } from '../shared/flow/index.ts'

// Draws agents as Mermaid flowcharts: to the terminal, or with --write to docs/agents/<name>.md. Names pick some of them.
const words = process.argv.slice(2)
const wanted = words.filter((word) => !word.startsWith('--'))
const faults = await checkAgents('agents', await toolsOf('agents'))
if (faults.length > 0) {
  console.error(faults.map(faultLine).join('\n'))
  process.exit(1)
}
const { byName } = await loadAgents('agents')
for (const name of wanted) if (!byName.has(name)) throw new Error(`there is no agent ${name}`)

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
  if (words.includes('--write')) {
    await mkdir('docs/agents', { recursive: true })
    await writeFile(`docs/agents/${agent.name}.md`, page)
  } else {
    console.log(page)
  }
}
