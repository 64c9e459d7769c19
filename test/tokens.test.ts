import llama3 from 'llama3-tokenizer-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from './world.ts'

/**
 * The model work of a whole laptop refresh, counted with the public Llama 3 tokenizer over what the journal holds. The
 * design allows 2,700 prompt and 120 completion tokens; the predecessor takes 13,500 and 1,200.
 */
let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

/** What a chat template adds to each message: its header and end-of-turn tokens. */
const templateTokens = 10

interface Step {
  kind: string
  request: { content: string }[]
  answer: string
  input: number
  output: number
}

async function modelSteps(email: string): Promise<Step[]> {
  return world.db.database<Step[]>`
    select j.kind, j.request, j.answer #>> '{}' as answer, j.input_tokens as input, j.output_tokens as output
    from steps j join turns t on t.id = j.turn join sessions s on s.id = t.session join people p on p.id = s.person
    where p.email = ${email} and j.prompt_hash is not null`
}

function count(steps: Step[]): { prompt: number; completion: number } {
  const tokens = (text: string) => llama3.encode(text, { bos: false, eos: false }).length
  return {
    prompt: steps
      .flatMap((step) => step.request)
      .reduce((sum, message) => sum + tokens(message.content) + templateTokens, 0),
    completion: steps.reduce((sum, step) => sum + tokens(step.answer), 0),
  }
}

test.each([
  ['the plain way', 'alice.johnson@company.com', ['refresh', 'I would like to see the options', '3', 'proceed']],
  [
    'in words of their own',
    'maria.garcia@company.com',
    [
      'hello there, my notebook is ancient and slow, could I get a replacement please',
      'sure, show me what laptops there are to choose from',
      'I would rather have the lighter thinkpad t14 for the office',
      'yes please go ahead',
    ],
  ],
])('a laptop refresh %s, from greeting to ticket', async (way, email, messages) => {
  let last = ''
  for (const message of messages) last = (await world.pipeline.say(email, message)).response?.content ?? ''
  expect(last).toMatch(/REQ\d{7}/)
  const steps = await modelSteps(email)
  const counted = count(steps)
  console.log(
    `laptop refresh ${way}: ${steps.length} model calls, ${counted.prompt} prompt + ${counted.completion} completion tokens (Llama 3)`,
  )
  expect(counted.prompt).toBeLessThanOrEqual(2_700)
  expect(counted.completion).toBeLessThanOrEqual(120)
})

test('the token statistics have the exact form, and are the journal’s sums', async () => {
  const email = 'maria.garcia@company.com'
  const steps = await modelSteps(email)
  expect(steps.length).toBeGreaterThan(0)
  const sum = (of: (step: Step) => number) => steps.reduce((total, step) => total + of(step), 0)
  const most = (of: (step: Step) => number) => Math.max(...steps.map(of))
  const [input, output] = [sum((step) => step.input), sum((step) => step.output)]
  const { response } = await world.pipeline.say(email, '**tokens**')
  expect(response).toMatchObject({
    agent_id: 'system',
    content:
      `TOKEN_SUMMARY:INPUT:${input}:OUTPUT:${output}:TOTAL:${input + output}:CALLS:${steps.length}` +
      `:MAX_SINGLE_INPUT:${most((step) => step.input)}:MAX_SINGLE_OUTPUT:${most((step) => step.output)}` +
      `:MAX_SINGLE_TOTAL:${most((step) => step.input + step.output)}`,
  })
})
