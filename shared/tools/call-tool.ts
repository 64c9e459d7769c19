import type { CallToolResult, Client } from '@modelcontextprotocol/client'
import * as z from 'zod/mini'
import { catalogue, type FaultCode } from '../errors/catalogue.ts'
import { Fault } from '../errors/fault.ts'
import type { Json } from '../flow/json.ts'
import { cleanText } from './clean-text.ts'
import { limitedFetch } from './limited-fetch.ts'
import { departure } from './schema-check.ts'

interface ToolServer {
  name: string
  /** The MCP endpoint, e.g. http://servicenow/mcp. */
  url: string
  /** `negotiate` asks a server of unknown age first (one request more); default is MCP 2026-07-28, one POST a call. */
  protocol?: '2026-07-28' | 'negotiate'
}

export interface ToolCall {
  server: ToolServer
  /** Without the server's name. */
  tool: string
  arguments: Record<string, Json>
  /** From `mintToolToken`. */
  token: string
  timeoutMs: number
  signal?: AbortSignal
  /** Largest answer in bytes, default 64 KiB. */
  maxBytes?: number
  /** The tool's pinned output schema: an answer that departs from it is not used. */
  outputSchema?: Json
  /** For servers that read the predecessor's AUTHORITATIVE_USER_ID header. */
  authoritativeUserId?: string
  traceparent?: string
}

export type ToolOutcome = { ok: true; value: Json } | { ok: false; code: string; message: string }

const revision = '2026-07-28'
// What a server of this revision says to server/discover, as far as a client that only calls tools needs it.
const discovered = { supportedVersions: [revision], capabilities: { tools: {} }, resultType: 'complete' as const }

/**
 * Calls one tool of an MCP server (streamable HTTP) and returns its answer, cleaned of unseen characters, or its
 * definite refusal.
 * @throws Fault `tool.unavailable`, `tool.timeout`, `tool.in-progress` (try again: reads change nothing and writes carry
 * their key), `tool.outcome-unknown` (a person must look), `tool.answer-too-large`, `tool.answer-invalid`
 */
export async function callTool(call: ToolCall): Promise<ToolOutcome> {
  const { Client, StreamableHTTPClientTransport, ProtocolError, ProtocolErrorCode } = await import(
    '@modelcontextprotocol/client'
  )
  const pinned = call.server.protocol !== 'negotiate'
  const client = new Client(
    { name: 'self-service-agent', version: '1' },
    { versionNegotiation: { mode: pinned ? { pin: revision } : 'auto' } },
  )
  const transport = new StreamableHTTPClientTransport(new URL(call.server.url), {
    requestInit: { headers: headersOf(call) },
    fetch: limitedFetch(call.maxBytes ?? 65_536),
  })
  const options = { timeout: call.timeoutMs, ...(call.signal === undefined ? {} : { signal: call.signal }) }
  try {
    await client.connect(transport, pinned ? { ...options, prior: { kind: 'modern', discover: discovered } } : options)
    const result = await client.callTool({ name: call.tool, arguments: call.arguments }, options)
    return result.isError === true ? readFailure(result) : readValue(result, call)
  } catch (error) {
    // No such tool, or arguments that do not fit its schema: nothing ran, and asking again changes nothing.
    if (
      error instanceof ProtocolError &&
      (error.code === ProtocolErrorCode.InvalidParams || error.code === ProtocolErrorCode.MethodNotFound)
    ) {
      return { ok: false, code: 'tool.refused', message: shorten(error.message) }
    }
    throw await toToolFault(error, call)
  } finally {
    await close(client)
  }
}

function headersOf(call: ToolCall): Record<string, string> {
  return {
    authorization: `Bearer ${call.token}`,
    ...(call.authoritativeUserId === undefined ? {} : { AUTHORITATIVE_USER_ID: call.authoritativeUserId }),
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
  }
}

function readValue(result: CallToolResult, call: ToolCall): ToolOutcome {
  const given = (result.structuredContent ?? textOf(result)) as Json // From JSON.parse, so it is JSON.
  const value = cleanText(given)
  if (call.outputSchema !== undefined) {
    const where = departure(value, call.outputSchema)
    if (where !== null) throw new Fault('tool.answer-invalid', `${nameOf(call)}: ${where}`)
  }
  return { ok: true, value }
}

const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  retry_after: z.optional(z.number().check(z.minimum(0))),
})

/** Our own servers put `{code, message}` into a failure's text; other servers' words are taken as they are. */
function readFailure(result: CallToolResult): ToolOutcome {
  const text = textOf(result)
  const failure = failureSchema.safeParse(parseJson(text))
  if (!failure.success) return { ok: false, code: 'tool.refused', message: shorten(text) }
  const { code, message, retry_after } = failure.data
  if (code.startsWith('tool.') && isFaultCode(code) && catalogue[code].class !== 'terminal') {
    throw new Fault(code, shorten(message), retry_after === undefined ? {} : { retryAfter: retry_after })
  }
  return { ok: false, code, message: shorten(message) }
}

function textOf(result: CallToolResult): string {
  return result.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Plain words of another server.
  }
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(catalogue, code)
}

function shorten(text: string): string {
  return String(cleanText(text)).slice(0, 500)
}

async function toToolFault(error: unknown, call: ToolCall): Promise<Fault> {
  const { SdkError, SdkErrorCode, SdkHttpError } = await import('@modelcontextprotocol/client')
  const fault = faultWithin(error)
  if (fault !== undefined) return fault
  const name = nameOf(call)
  if (call.signal?.aborted === true) {
    return Fault.is(call.signal.reason)
      ? call.signal.reason
      : new Fault('tool.timeout', `${name}: the caller gave up`, { cause: error })
  }
  if (error instanceof SdkHttpError) {
    return new Fault('tool.unavailable', `${name}: HTTP ${error.status}`, { cause: error })
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new Fault('tool.timeout', `${name}: no answer within ${call.timeoutMs} ms`, { cause: error })
  }
  if (
    error instanceof SdkError &&
    (error.code === SdkErrorCode.InvalidResult || error.code === SdkErrorCode.UnsupportedResultType)
  ) {
    return new Fault('tool.answer-invalid', `${name}: ${error.message}`, { cause: error })
  }
  return new Fault('tool.unavailable', `${name}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

/** The client may wrap what its fetch threw. */
function faultWithin(error: unknown): Fault | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (Fault.is(at)) return at
  }
  return undefined
}

function nameOf(call: ToolCall): string {
  return `${call.server.name}.${call.tool}`
}

async function close(client: Client): Promise<void> {
  try {
    await client.close()
  } catch {
    // The call's outcome stands, whatever closing says.
  }
}
