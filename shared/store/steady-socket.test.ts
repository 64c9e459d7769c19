import postgres from 'postgres'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startWire, type Wire } from '../../test/chaos/wire.ts'
import { openSteadySockets } from './steady-socket.ts'

let wire: Wire
beforeAll(async () => {
  const port = Number(new URL(inject('adminUrl')).port)
  wire = await startWire(() => port)
})
afterAll(() => wire.close())

/** Asks a pool something in the very moment in which its one connection is reset, and then once more. */
async function askWhileLost(moment: 'at the error' | 'before it is written'): Promise<void> {
  const url = new URL(inject('adminUrl'))
  url.port = String(wire.port)
  const asked = Promise.withResolvers<unknown>()
  const open = openSteadySockets()
  let ask = (): void => {}
  const options = {
    max: 1,
    connect_timeout: 30,
    backoff: () => 0,
    prepare: false,
    fetch_types: false,
    // With an ear that hears before the driver.
    socket: (address: Parameters<typeof open>[0]) => {
      const socket = open(address)
      const emit = socket.emit.bind(socket)
      socket.emit = (event: string | symbol, ...given: unknown[]): boolean => {
        if (event === (moment === 'at the error' ? 'error' : 'close')) ask()
        if (event !== 'close' || moment === 'at the error') return emit(event, ...given)
        void inAFewTurns().then(() => emit(event, ...given))
        return true
      }
      return socket
    },
  }
  const sql = postgres(url.href, options)
  await sql`select 1`
  ask = () => {
    ask = () => {}
    sql`select 2`.then(asked.resolve, asked.reject)
  }
  wire.cut()
  await expect(Promise.race([asked.promise, late(3_000)])).rejects.toMatchObject({
    code: expect.stringMatching(/^(CONNECTION_CLOSED|ECONNRESET)$/),
  })
  expect(await Promise.race([sql`select 3 as three`, late(3_000)])).toMatchObject([{ three: 3 }])
  await sql.end({ timeout: 1 })
}

/** Later in the same turn of the loop: nothing that the driver has put off to its end has happened. */
async function inAFewTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await undefined
}

function late(milliseconds: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('was never settled')), milliseconds))
}

test('a query between the error and the end of a connection that was reset fails', () => askWhileLost('at the error'))
test('what had not been written stays out of the next connection', () => askWhileLost('before it is written'))
