import { expect, test } from 'vitest'
import { drawAgent } from './draw.ts'
import { loadAgents } from './load.ts'
import { sampleAgents } from './testing/conversation.ts'

const { byName } = await loadAgents(sampleAgents)

test('the router is drawn step by step', () => {
  const router = byName.get('router')
  expect(router && drawAgent(router)).toBe(`flowchart TD
  start(["Help"]) --> s0
  s0{"choose<br/>decide"}
  s0 -->|"greeting"| s1
  s0 -->|"unsure"| s1
  s0 -->|"name of an agent"| agents(["that agent"])
  s1[/"menu<br/>ask"/]
  s1 --> s0
`)
})

test('every step is drawn, labels of any time once, and every arrow leads somewhere', () => {
  const agent = byName.get('laptops')
  if (agent === undefined) throw new Error('no agent')
  const drawing = drawAgent(agent)
  for (const name of Object.keys(agent.steps)) expect(drawing).toContain(`"${name}<br/>`)
  const declared = new Set([...drawing.matchAll(/^ {2}(\w+)[[{(]/gm)].map(([, id]) => id))
  const arrows = [...drawing.matchAll(/^ {2}(\w+)(?:\S*) -->(?:\|"[^"]*"\|)? (\w+)/gm)]
  expect(arrows.length).toBeGreaterThan(40)
  for (const [line, , to] of arrows)
    expect(declared.has(to) || /\(\[/.test(line) || to?.startsWith('agent_'), line).toBe(true)
  expect(drawing.match(/\|"question"\|/g)).toHaveLength(1)
  expect(drawing).toContain('s29 --> agent_s29(["router"])') // a hand-off leaves the agent
})

test('text of an expression cannot end a label', () => {
  const agent = byName.get('laptops')
  if (agent === undefined) throw new Error('no agent')
  const drawing = drawAgent({
    ...agent,
    steps: {
      'look-up': { verb: 'when', cases: [{ if: 'a == "x" || b < 3 # c', next: 'finish' }], otherwise: 'finish' },
      finish: { verb: 'end' },
    },
    anytime: [],
  })
  expect(drawing).toContain('s0 -->|"a == #quot;x#quot; #124;#124; b #lt; 3 #35; c"| s1')
})

test('an agent that is kept is an arrow to the step that tells of it', () => {
  const router = byName.get('router')
  const choose = router?.steps['choose']
  if (router === undefined || choose?.verb !== 'decide') throw new Error('no step')
  const drawing = drawAgent({
    ...router,
    steps: { ...router.steps, choose: { ...choose, save: 'other', next: 'menu' } },
  })
  expect(drawing).toContain('s0 -->|"name of an agent"| s1')
  expect(drawing).not.toContain('agents([')
})
