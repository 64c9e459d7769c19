import { codeIn } from './compare-response.ts'
import { moveOf, type Replay, type ReplayedStep } from './replay-turn.ts'

const longest = 160
const does = { open: 'opens', grant: 'grants', decline: 'declines', expire: 'expires', use: 'uses' } as const

/** A replay as a person reads it: each step with what it asked, was answered and said, and how the turn compares. */
export function traceOf(replay: Replay): string {
  const { turn, response } = replay.recorded
  const code = codeIn(response)
  const ended = turn.state === 'failed' ? `failed (${code ?? 'of an unknown fault'})` : turn.state
  return [
    `Turn ${turn.id}: ${ended}`,
    `  ${turn.email}, ${turn.openedAt.toISOString()}`,
    `  ${turn.decided === null ? 'asks' : 'decision'}: ${oneLine(turn.content)}`,
    ...replay.steps.flatMap(stepLines),
    ...(turn.state === 'failed'
      ? [`  then it was given up: ${code === null ? '' : `${code}. `}What failed was rolled back and is in no journal`]
      : []),
    ...replay.differences.flatMap(({ step, sentence, detail }) => [
      `  ✗ ${step === null ? 'The turn' : `Step ${step}`}: ${sentence}`,
      ...detail.map((line) => `      ${line}`),
    ]),
    `  ${replay.verdict === 'exact' ? '✓' : replay.verdict === 'differs' ? '✗' : '?'} ${closing(replay)}`,
  ].join('\n')
}

function closing({ verdict, sentence, steps, recorded }: Replay): string {
  if (verdict !== 'exact') return sentence
  const models = steps.filter((step) => step.recorded.promptHash !== null).length
  const tools = steps.filter((step) => step.recorded.kind === 'call').length
  const bytes = Buffer.byteLength(recorded.response ?? '')
  return `${sentence}: ${count(steps.length, 'step')}, ${count(models, 'model answer')}, ${count(tools, 'tool answer')}; the stored answer has ${bytes} bytes`
}

function stepLines({ recorded: step, walked }: ReplayedStep): string[] {
  const { inputTokens, outputTokens } = step
  const milliseconds = step.finishedAt.getTime() - step.startedAt.getTime()
  const tokens = step.promptHash === null ? '' : `  ${inputTokens}+${outputTokens} tokens`
  const reads = (walked?.reads ?? []).map(({ effect, result }) => {
    const found = result.kind === 'rows' ? result.rows.length : result.kind === 'passages' ? result.passages.length : 0
    return effect.kind === 'lookup'
      ? line('looked up', `${effect.table} ${JSON.stringify(effect.where)}: ${count(found, 'row')}`)
      : line('searched', `${effect.query}: ${count(found, 'passage')}`)
  })
  return [
    `  ${step.number}  ${step.agent}  ${step.name}  ${step.kind}${tokens}  ${milliseconds} ms`,
    ...reads,
    ...(step.approval === null ? [] : [line('approval', `was ${step.approval}`)]),
    ...(step.request === null ? [] : [line('asked', asked(step.request))]),
    ...(step.answer === null
      ? []
      : [line('answered', typeof step.answer === 'string' ? step.answer : JSON.stringify(step.answer))]),
    ...(walked?.said ?? []).map((text) => line('said', text)),
    ...(walked?.approvals ?? []).map((change) => line('approval', `${does[change.kind]} ${change.id}`)),
    ...(walked === null ? [] : [line('goes', moveOf(walked))]),
  ]
}

/** A tool by name and arguments; of a prompt the end, where the employee's words stand. */
function asked(request: unknown): string {
  if (Array.isArray(request)) {
    const last: unknown = request.at(-1)
    if (typeof last === 'object' && last !== null && 'content' in last) return String(last.content)
  }
  if (typeof request === 'object' && request !== null && 'tool' in request && 'arguments' in request) {
    return `${String(request.tool)} ${JSON.stringify(request.arguments)}`
  }
  return JSON.stringify(request)
}

function line(name: string, text: string): string {
  return `       ${name.padEnd(10)}${oneLine(text)}`
}

function oneLine(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim()
  return flat.length > longest ? `${flat.slice(0, longest)}…` : flat
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
