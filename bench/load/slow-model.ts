import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

export interface SlowModel {
  /** From now on the next question that has these words in it is held for so long. */
  hold(words: string, milliseconds: number): void
  /** When the last held question came and when it went on, in milliseconds since 1970; null before. */
  readonly held: { from: number; until: number | null } | null
  close(): Promise<void>
}

/** Stands in front of the model and passes everything on at once, but for one question that it holds. */
export async function startSlowModel(port: number, modelPort: number): Promise<SlowModel> {
  const agent = new Agent({ keepAlive: true })
  let wanted: { words: string; milliseconds: number } | null = null
  let held: SlowModel['held'] = null
  const closing = new AbortController()
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await bodyOf(incoming)
      if (wanted !== null && body.includes(wanted.words)) {
        const { milliseconds } = wanted
        wanted = null
        held = { from: Date.now(), until: null }
        await pause(milliseconds, undefined, { signal: closing.signal })
        held = { ...held, until: Date.now() }
      }
      passOn(incoming, outgoing, body, true)
    })().catch(() => outgoing.destroy())
  })
  const passOn = (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, mayRepeat: boolean): void => {
    const { method, url, headers } = incoming
    const passed = request({ host: '127.0.0.1', port: modelPort, method, path: url, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    passed.once('error', () => {
      // A kept connection that the model closed as it was used again: it was not asked.
      if (mayRepeat && passed.reusedSocket) passOn(incoming, outgoing, body, false)
      else outgoing.destroy()
    })
    outgoing.once('close', () => passed.destroy())
    passed.end(body)
  }
  server.keepAliveTimeout = 72_000
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    hold(words, milliseconds) {
      wanted = { words, milliseconds }
      held = null
    },
    get held() {
      return held
    },
    async close() {
      closing.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks)
}
