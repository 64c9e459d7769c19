import http from 'node:http'
import https from 'node:https'
import type { Answer } from './outcome.ts'

export interface Call {
  url: string
  headers: Record<string, string>
  body: Buffer
  timeoutMs: number
}

/**
 * Sends one POST and reads the whole answer. Rejects where there was none: refused, cut, late. The dispatcher is given
 * it, so that a test can lose, repeat, delay or reorder deliveries on the way.
 */
export type Transport = (call: Call) => Promise<Answer>

/** More than any answer of ours, less than what hurts. */
const maxAnswerBytes = 4 * 1024 * 1024

/**
 * The real transport: keep-alive connections, no redirects followed. node:http rather than fetch, which costs three
 * times the processor time a call.
 */
export function createTransport(): { transport: Transport; close(): void } {
  const options = { keepAlive: true, keepAliveMsecs: 10_000, scheduling: 'lifo' } as const
  const plain = new http.Agent(options)
  const secure = new https.Agent(options)
  const send = (call: Call, mayRepeat: boolean): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const url = new URL(call.url)
      const isSecure = url.protocol === 'https:'
      const headers = { ...call.headers, 'content-length': String(call.body.length) }
      const settings = { method: 'POST', headers, agent: isSecure ? secure : plain }
      const request = isSecure ? https.request(url, settings) : http.request(url, settings)
      const timer = setTimeout(() => {
        request.destroy(new Error(`no answer within ${call.timeoutMs} ms`))
      }, call.timeoutMs)
      request.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        // A kept connection that its server closed as we wrote: nothing was handled, so it isn't an attempt.
        if (mayRepeat && request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
          send(call, false).then(resolve, reject)
        } else {
          reject(error)
        }
      })
      request.once('response', (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswerBytes) request.destroy(new Error(`the answer is longer than ${maxAnswerBytes} bytes`))
          else chunks.push(chunk)
        })
        response.once('error', (error) => {
          clearTimeout(timer)
          reject(error)
        })
        response.once('end', () => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, headers: single(response.headers), body: Buffer.concat(chunks) })
        })
      })
      request.end(call.body)
    })
  return {
    transport: (call) => send(call, true),
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

/** Node's headers with the few repeated ones joined, as HTTP reads them. */
export function single(headers: http.IncomingHttpHeaders): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return joined
}
