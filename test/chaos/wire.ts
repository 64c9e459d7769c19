import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The way of a function's connections to one thing that it uses; real sockets, which the harness can cut. */
export interface Wire {
  port: number
  /** Resets every connection at both ends, whatever is under way on it. */
  cut(): void
  /**
   * Lets the next request that has these words in it through, and resets its connection in place of the answer: what
   * was asked for has happened, and who asked does not know.
   */
  loseAnswerTo(words: RegExp): void
  /** Takes a `loseAnswerTo` back that met no request. */
  forgive(): void
  close(): Promise<void>
}

interface Pair {
  near: Socket
  far: Socket
  losing: boolean
}

/** Listens on a free port of this machine and passes everything on to the target's port. */
export async function startWire(target: () => number): Promise<Wire> {
  const pairs = new Set<Pair>()
  let wanted: RegExp | null = null

  const server = createServer({ noDelay: true }, (near) => {
    const pair: Pair = { near, far: connect({ host: '127.0.0.1', port: target(), noDelay: true }), losing: false }
    pairs.add(pair)
    near.on('data', (chunk) => {
      if (wanted?.test(chunk.toString('latin1'))) {
        wanted = null
        pair.losing = true
      }
      pair.far.write(chunk)
    })
    pair.far.on('data', (chunk) => {
      if (pair.losing) reset(pair)
      else near.write(chunk)
    })
    near.on('end', () => pair.far.end())
    pair.far.on('end', () => near.end())
    for (const socket of [near, pair.far]) {
      socket.on('error', () => {})
      // One end's end is the other's.
      socket.on('close', () => {
        pairs.delete(pair)
        near.destroy()
        pair.far.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const pair of pairs) reset(pair)
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    loseAnswerTo(words) {
      wanted = words
    },
    forgive() {
      wanted = null
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      await closed
    },
  }
}

function reset({ near, far }: Pair): void {
  for (const socket of [near, far]) {
    // One that is being closed in order takes no reset, and would be left open by it.
    if (socket.connecting || socket.writableEnded) socket.destroy()
    else socket.resetAndDestroy()
  }
}
