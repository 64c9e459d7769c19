import { Socket } from 'node:net'

/** What the driver tells the maker of its sockets. */
interface Address {
  host: string[]
  port: number[]
  /** Of a Unix socket; false where there is none. */
  path?: string | false
}

/**
 * Makes the driver's sockets, each so that a connection's reset does no harm. Two faults of the driver (3.4.9) are kept
 * from happening. Between a socket's error and its end it goes on using it: a query that it gives it then is never
 * settled, or, once that connection was made anew for another query, settled with no rows, as if there were none. And
 * what it had not written by then stays before the first message of that connection's successor, which it never sends.
 */
export function openSteadySockets(): ({ host, port, path }: Address) => Socket {
  let tries = 0
  return ({ host, port, path }) => {
    const socket = new Socket()
    const at = tries % host.length
    tries += 1
    tellTogether(socket)
    if (path) socket.connect(path)
    else socket.connect(port[at] ?? 5_432, host[at] ?? 'localhost')
    // After that, which sets `write` back.
    beginAfresh(socket)
    // What the driver itself keeps there, for messages and for the name in a certificate.
    return Object.assign(socket, { host: host[at], port: port[at] })
  }
}

/** Holds an error back until the socket is closed. */
function tellTogether(socket: Socket): void {
  const emit = socket.emit.bind(socket)
  let failure: unknown
  socket.emit = (event: string | symbol, ...given: unknown[]): boolean => {
    if (event === 'error') {
      failure = given[0]
      return true
    }
    if (event === 'close' && failure !== undefined) emit('error', failure)
    return emit(event, ...given)
  }
}

/**
 * Takes what a predecessor left out of the first thing that is written. Where the driver does not come to write at all,
 * the socket ends: the driver then tries again at once, with one more first message in its buffer each time, and writes
 * when that is full.
 */
function beginAfresh(socket: Socket): void {
  const write = socket.write.bind(socket)
  let begun = false
  socket.write = (...given: unknown[]): boolean => {
    const [chunk, ...rest] = given
    const first = !begun && Buffer.isBuffer(chunk) ? chunk.subarray(beginningIn(chunk)) : chunk
    begun = true
    return Reflect.apply(write, socket, [first, ...rest])
  }
  socket.once('connect', () => {
    // The driver writes at the end of a turn of the loop; this one may have been before its own.
    setImmediate(() => setImmediate(() => begun || socket.destroy()))
  })
}

/** StartupMessage and SSLRequest (PostgreSQL's protocol 3.0, message formats): a length, then one of these codes. */
const firstCodes = [196_608, 80_877_103]

/** Where the last message begins that a connection may begin with; 0 where there is none. */
function beginningIn(chunk: Buffer): number {
  for (let at = chunk.length - 8; at > 0; at -= 1) {
    if (chunk.readUInt32BE(at) === chunk.length - at && firstCodes.includes(chunk.readUInt32BE(at + 4))) return at
  }
  return 0
}
