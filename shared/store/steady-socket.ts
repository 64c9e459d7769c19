import { Socket } from 'node:net'

/** What the driver tells the maker of its sockets. */
interface Address {
  host: string[]
  port: number[]
  /** Of a Unix socket; false where there is none. */
  path?: string | false
}

/**
 * Makes the driver's sockets, each so that its error and its end are one event. Between the two of a connection that was
 * reset the driver (3.4.9) goes on using it: a query that it gives it then is never settled, or, once that connection
 * was made anew for another query, settled with no rows, as if there were none.
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
