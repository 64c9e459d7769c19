import { type ClientRequest, request as requestHttp } from 'node:http'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { Fault } from '../../errors/fault.ts'
import { hostOf, portOf } from './target.ts'

export interface Call {
  url: URL
  /** The IP address to connect to: nobody is asked for the name again. */
  address: string
  headers: Record<string, string>
  body: string
  signal: AbortSignal
  /** Certificates to trust in place of the system's, for a test. */
  ca?: string | undefined
}

export interface Answer {
  status: number
  retryAfter: string | null
}

/** Bytes of an answer's body that are read, and milliseconds for them: only its status says anything. */
const bodyLimit = 65_536
const bodyMs = 1_000

/**
 * Sends one POST to exactly one address, with the URL's name in Host and in the certificate's check. Follows nothing,
 * keeps no connection.
 * @throws Fault `delivery.unavailable` where nothing can have arrived, `delivery.unknown` where it may have
 */
export async function post(call: Call): Promise<Answer> {
  const { url, address, headers, body, signal, ca } = call
  const host = hostOf(url)
  const secure = url.protocol === 'https:'
  const options: RequestOptions = {
    method: 'POST',
    host: address,
    family: isIP(address),
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body), connection: 'close' },
    // One connection, with no proxy of the environment's and none of another call's.
    agent: false,
    signal,
    maxHeaderSize: 16_384,
    ...(secure ? { servername: isIP(host) === 0 ? host : '', ...(ca === undefined ? {} : { ca }) } : {}),
  }
  return await new Promise((resolve, reject) => {
    const sent = secure ? requestHttps(options) : requestHttp(options)
    let connected = false
    let answered = false
    const fail = (detail: string, cause?: Error) => {
      if (answered) return
      reject(new Fault(connected ? 'delivery.unknown' : 'delivery.unavailable', `${host}: ${detail}`, { cause }))
    }
    sent.on('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true
      })
    })
    sent.on('error', (cause) => fail(signal.aborted ? 'no answer in time' : codeOf(cause), cause))
    // A change of protocol ends a request without an error.
    sent.on('close', () => fail('hung up'))
    sent.on('response', (response) => {
      answered = true
      const { statusCode = 0, headers: given } = response
      drain(response, sent).then(
        () => resolve({ status: statusCode, retryAfter: given['retry-after'] ?? null }),
        reject,
      )
    })
    sent.end(body)
  })
}

/** Reads a little of the body, so that a receiver who writes it first sees no broken connection; then hangs up. */
async function drain(response: NodeJS.ReadableStream, sent: ClientRequest): Promise<void> {
  const late = setTimeout(() => sent.destroy(), bodyMs)
  let size = 0
  try {
    for await (const chunk of response) {
      size += chunk.length
      if (size >= bodyLimit) break
    }
  } catch {
    // The status came, and that was all that was asked for.
  } finally {
    clearTimeout(late)
    sent.destroy()
  }
}

function codeOf(cause: Error): string {
  return 'code' in cause ? String(cause.code) : cause.message
}
