import { createServer } from 'node:net'

/** Why this process cannot listen on the port of 127.0.0.1, to be read after "Port N"; null where it can. */
export function whyNotFree(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EACCES' ? 'is not for this account to listen on' : 'is in use')
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)))
  })
}

/** Below the ports that systems give to outgoing connections, one of which could take a port between look and use. */
const lowest = 30_500
const highest = 32_700

let next = lowest + ((process.pid * 97) % (highest - lowest))

/** As many free ports as asked for, all different; a process does not get the same one twice before it went round. */
export async function findFreePorts(count: number): Promise<number[]> {
  const found: number[] = []
  for (let tried = 0; found.length < count; tried += 1) {
    if (tried > highest - lowest) throw new Error(`there are no ${count} free ports from ${lowest} to ${highest}`)
    next = next + 1 < highest ? next + 1 : lowest
    if ((await whyNotFree(next)) === null) found.push(next)
  }
  return found
}
