import type { CallToolResult } from '@modelcontextprotocol/server'
import { catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Log } from '../../shared/telemetry/log.ts'

/**
 * Runs a tool's work and makes an MCP result of it: structured content with the same as text, or `isError` with the
 * text `{"code","message","retry_after"?}`. The message is for the employee; details go to the log only.
 */
export async function answerCall<T extends Record<string, unknown>>(
  tool: string,
  log: Log,
  work: () => Promise<T>,
): Promise<CallToolResult> {
  try {
    const value = await work()
    return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value }
  } catch (error) {
    const fault = toFault(error)
    const code = codeForCaller(fault.code)
    const { says, title } = catalogue[code]
    const message = says ?? title
    log.warn('A tool call failed', { tool, code: fault.code, detail: fault.message, ...causeOf(fault.cause) })
    const wait = fault.retryAfter === undefined ? {} : { retry_after: fault.retryAfter }
    return { content: [{ type: 'text', text: JSON.stringify({ code, message, ...wait }) }], isError: true }
  }
}

/** A caller knows the codes of tools; what a store does behind one is none of its business. */
function codeForCaller(code: FaultCode): FaultCode {
  if (catalogue[code].class === 'retryable' && !code.startsWith('tool.')) return 'tool.unavailable'
  // Only writes use the store, and it may refuse the result of one.
  return code.startsWith('store.') ? 'tool.outcome-unknown' : code
}

function causeOf(cause: unknown): { cause?: string } {
  return cause instanceof Error ? { cause: cause.message } : {}
}
