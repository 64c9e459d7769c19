import { answerProse, answerSchema, chooseFrom } from './answer.ts'
import type { ChatRequest, Tool } from './chat-request.ts'
import { classify } from './classify.ts'
import type { FaultKind } from './faults.ts'
import { type Reading, readRequest } from './read-request.ts'
import { tokensOf } from './tokens.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls'

export interface Completion {
  /** Tokens of the content, or of the tool call's arguments. */
  tokens: string[]
  /** Name of the tool called; undefined for plain content. */
  tool: string | undefined
  finish: FinishReason
}

/** The answer to a request, whole and at once: it depends on the request, the model's name and the fault alone. */
export function complete(request: ChatRequest, model: string, fault: FaultKind | undefined): Completion {
  const reading = readRequest(request.messages)
  const tool = toolFor(request, reading)
  const whole = spoil(tool === undefined ? contentFor(request, reading, model) : argumentsFor(tool, reading), fault)
  // vLLM ends a named tool call with "stop", as OpenAI does; auto and required end with "tool_calls".
  const ended: FinishReason = tool !== undefined && request.toolUse.kind !== 'named' ? 'tool_calls' : 'stop'
  const stopped = tool === undefined ? cutAtStop(whole, request.stop) : whole
  const tokens = tokensOf(stopped)
  const most = fault === 'truncated' ? Math.floor(tokens.length / 2) : (request.maxTokens ?? Number.POSITIVE_INFINITY)
  return {
    tokens: tokens.length > most ? tokens.slice(0, most) : tokens,
    tool: tool === undefined ? undefined : fault === 'unknown-tool' ? 'no_such_tool' : tool.name,
    finish: tokens.length > most || fault === 'truncated' ? 'length' : ended,
  }
}

function toolFor(request: ChatRequest, reading: Reading): Tool | undefined {
  const { toolUse, tools } = request
  if (toolUse.kind === 'none') return undefined
  if (toolUse.kind === 'named') return toolUse.tool
  // A result of a tool is answered, not called for again.
  if (toolUse.kind === 'auto' && request.messages.at(-1)?.role === 'tool') return undefined
  const candidates = tools.map((tool) => ({ name: tool.name, description: tool.description, examples: [] }))
  if (toolUse.kind === 'required') return tools[classify(reading.subject, candidates).index]
  const nothing = { name: 'none', description: 'none of these fits', examples: [] }
  return tools[classify(reading.subject, [...candidates, nothing]).index]
}

function argumentsFor(tool: Tool, reading: Reading): string {
  return JSON.stringify(answerSchema(tool.parameters, reading))
}

function contentFor(request: ChatRequest, reading: Reading, model: string): string {
  const { form, messages } = request
  if (form.kind === 'choice') return String(chooseFrom(form.values, reading))
  if (form.kind === 'json') return JSON.stringify(answerSchema(form.schema, reading))
  const last = messages.at(-1)
  if (last?.role === 'tool') return last.content
  return answerProse(reading, model)
}

function spoil(answer: string, fault: FaultKind | undefined): string {
  if (fault === 'empty') return ''
  if (fault === 'malformed-json') return `${answer.slice(0, -1)},,`
  if (fault === 'wrong-label') return withoutMeaning(answer)
  if (fault === 'extra-argument')
    return answer.replace(/\}$/, `${answer === '{}' ? '' : ','}"invented_argument":"made up"}`)
  return answer
}

/** The same JSON with every text and number replaced by one that was never offered. */
function withoutMeaning(answer: string): string {
  try {
    return JSON.stringify(JSON.parse(answer), (_key, value: unknown) =>
      typeof value === 'string' ? 'never-offered' : typeof value === 'number' ? 999_999 : value,
    )
  } catch {
    return 'never-offered'
  }
}

function cutAtStop(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return places.length === 0 ? text : text.slice(0, Math.min(...places))
}
