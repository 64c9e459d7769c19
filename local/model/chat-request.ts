import * as z from 'zod/mini'
import { type Schema, schemaShape } from './answer.ts'
import { ApiError } from './api-error.ts'
import type { ChatMessage } from './read-request.ts'
import type { Settings } from './settings.ts'

const textPart = z.looseObject({ type: z.string(), text: z.optional(z.string()) })

const body = z.looseObject({
  model: z.optional(z.string()),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.nullish(z.union([z.string(), z.array(textPart)])) }))
    .check(z.minLength(1)),
  stream: z.nullish(z.boolean()),
  stream_options: z.nullish(z.looseObject({ include_usage: z.nullish(z.boolean()) })),
  max_tokens: z.nullish(z.int()),
  max_completion_tokens: z.nullish(z.int()),
  stop: z.nullish(z.union([z.string(), z.array(z.string())])),
  n: z.nullish(z.int()),
  priority: z.nullish(z.int()),
  cache_salt: z.nullish(z.string()),
  response_format: z.nullish(
    z.looseObject({
      type: z.string(),
      json_schema: z.nullish(z.looseObject({ name: z.optional(z.string()), schema: z.nullish(schemaShape) })),
    }),
  ),
  structured_outputs: z.nullish(
    z.looseObject({
      choice: z.nullish(z.array(z.string()).check(z.minLength(1))),
      json: z.nullish(z.union([schemaShape, z.string()])),
    }),
  ),
  tools: z.nullish(
    z.array(
      z.looseObject({
        type: z.string(),
        function: z.looseObject({
          name: z.string(),
          description: z.nullish(z.string()),
          parameters: z.nullish(schemaShape),
        }),
      }),
    ),
  ),
  tool_choice: z.nullish(
    z.union([z.string(), z.looseObject({ type: z.string(), function: z.looseObject({ name: z.string() }) })]),
  ),
})

export interface Tool {
  name: string
  description: string
  parameters: Schema
}

export type Form = { kind: 'prose' } | { kind: 'choice'; values: string[] } | { kind: 'json'; schema: Schema }
export type ToolUse = { kind: 'none' } | { kind: 'auto' } | { kind: 'required' } | { kind: 'named'; tool: Tool }

export interface ChatRequest {
  messages: ChatMessage[]
  form: Form
  tools: Tool[]
  toolUse: ToolUse
  stream: boolean
  includeUsage: boolean
  /** Undefined: as many as the context has room for. */
  maxTokens: number | undefined
  stop: string[]
  n: number
  priority: number
  salt: string
}

/**
 * Reads a chat completion request as vLLM does: what it refuses is refused (400, 404), what it ignores (user, the
 * removed guided_ fields, sampling) is ignored.
 * @throws ApiError
 */
export function readChatRequest(value: unknown, settings: Settings): ChatRequest {
  const parsed = body.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new ApiError(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a chat completion request'}`)
  }
  const request = parsed.data
  if (request.model !== undefined && request.model !== '' && request.model !== settings.model) {
    throw new ApiError(404, `The model \`${request.model.slice(0, 200)}\` does not exist.`, 'model')
  }
  if ((request.priority ?? 0) !== 0 && !settings.priorityPolicy) {
    throw new ApiError(400, `Got priority ${request.priority} but Priority scheduling is not enabled.`)
  }
  const salt = request.cache_salt ?? undefined
  if (salt !== undefined && (salt === '' || salt.length > 128 || /[@/\\\0]/.test(salt))) {
    throw new ApiError(
      400,
      "Parameter 'cache_salt' must be a non-empty string of at most 128 characters without @ / \\ or NUL.",
      'cache_salt',
    )
  }
  const n = request.n ?? 1
  if (n < 1 || n > 128) throw new ApiError(400, `n must be at least 1 and at most 128, got ${n}.`, 'n')
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? undefined
  if (maxTokens !== undefined && maxTokens < 1)
    throw new ApiError(400, `max_tokens must be at least 1, got ${maxTokens}.`, 'max_tokens')
  if (request.stream_options && request.stream !== true) {
    throw new ApiError(400, 'Stream options can only be defined when `stream=True`.', 'stream_options')
  }
  const tools = (request.tools ?? []).map((tool) => ({
    name: tool.function.name,
    description: tool.function.description ?? '',
    parameters: tool.function.parameters ?? { type: 'object' },
  }))
  const stop = request.stop ?? []
  return {
    messages: request.messages.map((message) => ({ role: message.role, content: contentOf(message.content) })),
    form: readForm(request.response_format, request.structured_outputs),
    tools,
    toolUse: readToolUse(request.tool_choice, tools, settings),
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    maxTokens,
    stop: (Array.isArray(stop) ? stop : [stop]).filter((one) => one !== ''),
    n,
    priority: request.priority ?? 0,
    salt: salt ?? '',
  }
}

function contentOf(content: string | z.infer<typeof textPart>[] | null | undefined): string {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n')
}

function readForm(
  format: z.infer<typeof body>['response_format'],
  outputs: z.infer<typeof body>['structured_outputs'],
): Form {
  if (outputs) {
    const used = ['choice', 'json', 'regex', 'grammar', 'structural_tag', 'json_object'].filter(
      (key) => outputs[key] != null,
    )
    if (used.length > 1)
      throw new ApiError(400, `You can only use one kind of structured outputs constraint, got ${used.join(', ')}.`)
    if (outputs.choice) return { kind: 'choice', values: outputs.choice }
    if (outputs.json)
      return { kind: 'json', schema: typeof outputs.json === 'string' ? schemaFrom(outputs.json) : outputs.json }
    if (used[0] !== undefined && used[0] !== 'json_object') {
      throw new ApiError(400, `structured_outputs.${used[0]} is not something this deterministic stand-in can do.`)
    }
    if (used[0] === 'json_object') return { kind: 'json', schema: { type: 'object' } }
  }
  if (!format || format.type === 'text') return { kind: 'prose' }
  if (format.type === 'json_object') return { kind: 'json', schema: { type: 'object' } }
  if (format.type !== 'json_schema')
    throw new ApiError(400, `response_format type ${format.type} is not supported.`, 'response_format')
  if (!format.json_schema?.schema)
    throw new ApiError(400, 'response_format.json_schema has no schema.', 'response_format')
  return { kind: 'json', schema: format.json_schema.schema }
}

function schemaFrom(text: string): Schema {
  try {
    return schemaShape.parse(JSON.parse(text))
  } catch {
    throw new ApiError(400, 'structured_outputs.json is not a JSON schema.', 'structured_outputs')
  }
}

function readToolUse(choice: z.infer<typeof body>['tool_choice'], tools: Tool[], settings: Settings): ToolUse {
  if (tools.length === 0) {
    if (choice == null || choice === 'none') return { kind: 'none' }
    throw new ApiError(400, 'When using `tool_choice`, `tools` must be set.', 'tool_choice')
  }
  if (choice === 'none') return { kind: 'none' }
  if (choice === 'required') return { kind: 'required' }
  if (choice == null || choice === 'auto') {
    if (settings.autoToolChoice) return { kind: 'auto' }
    throw new ApiError(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
  }
  if (typeof choice === 'string')
    throw new ApiError(400, `Invalid value for \`tool_choice\`: ${choice.slice(0, 100)}`, 'tool_choice')
  const tool = tools.find((one) => one.name === choice.function.name)
  if (tool === undefined) {
    throw new ApiError(
      400,
      'The tool specified in `tool_choice` does not match any of the specified `tools`',
      'tool_choice',
    )
  }
  return { kind: 'named', tool }
}
