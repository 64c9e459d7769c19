import { Fault } from '../errors/fault.ts'

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * A fetch that takes a whole answer into memory before handing it on, up to `maxBytes` of body, and follows no redirect
 * (a token must not travel to another host).
 * @throws Fault `tool.answer-too-large` (from the call that it returns)
 */
export function limitedFetch(maxBytes: number): Fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'error' })
    if (response.body === null) return response
    const parts: Uint8Array<ArrayBuffer>[] = []
    let size = 0
    for await (const part of response.body) {
      size += part.byteLength
      // Leaving the loop cancels the body and with it the connection.
      if (size > maxBytes) throw new Fault('tool.answer-too-large', `The answer has more than ${maxBytes} bytes`)
      parts.push(part)
    }
    const { status, statusText, headers } = response
    return new Response(new Blob(parts), { status, statusText, headers: withoutLength(headers) })
  }
}

/** The body is decoded by now: its length and encoding are no longer those of the headers. */
function withoutLength(given: Headers): Headers {
  const headers = new Headers(given)
  headers.delete('content-length')
  headers.delete('content-encoding')
  return headers
}
