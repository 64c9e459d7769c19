import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail as an SMTP server got it. */
export interface Received {
  envelope: { from: string; to: string[] }
  raw: Buffer
  parsed: ParsedMail
}

/** What it does with the next mail. `lost`: it keeps the mail, and the connection breaks before it says so. */
export type Play = 'unavailable' | 'refused' | 'lost' | 'refused as a whole' | 'broken off'

export interface TestSmtp {
  port: number
  received: Received[]
  plays: Play[]
  close(): Promise<void>
}

/** A real SMTP server on loopback; `tls`: it offers STARTTLS, with a certificate that nobody signed. */
export async function startSmtp(options: { tls?: boolean } = {}): Promise<TestSmtp> {
  const received: Received[] = []
  const plays: Play[] = []
  const server = new SMTPServer({
    ...{ authOptional: true, disableReverseLookup: true, logger: false, closeTimeout: 100 },
    disabledCommands: options.tls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    onRcptTo(_address, _session, done) {
      const [play] = plays
      if (play === 'unavailable' || play === 'refused') {
        plays.shift()
        const code = play === 'refused' ? 550 : 451
        return done(Object.assign(new Error('not now'), { responseCode: code }))
      }
      done()
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        const play = plays.shift()
        if (play === 'refused as a whole') return done(Object.assign(new Error('no'), { responseCode: 554 }))
        const raw = Buffer.concat(chunks)
        const { mailFrom, rcptTo } = session.envelope
        const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
        if (play !== 'broken off') received.push({ envelope, raw, parsed: await simpleParser(raw) })
        if (play === 'lost' || play === 'broken off') {
          for (const connection of server.connections) connection._socket?.destroy()
          return
        }
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    received,
    plays,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
