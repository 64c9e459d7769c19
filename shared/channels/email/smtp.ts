import { Readable } from 'node:stream'
import MailComposer from 'nodemailer/lib/mail-composer'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { Fault } from '../../errors/fault.ts'
import { parseEmail } from '../../identity/email.ts'
import { type NewMail, toMessage } from './compose-mail.ts'
import type { MailSettings } from './settings.ts'

/** Milliseconds for each of: the connection, the greeting, and silence after that. */
const patienceMs = { connectionTimeout: 5_000, greetingTimeout: 5_000, dnsTimeout: 5_000, socketTimeout: 10_000 }

/**
 * Hands one mail to our SMTP server, over a connection of its own. `bounce`: where its own bounces go; `nowhere` is the
 * empty reverse-path (RFC 3834, 3.3).
 * @throws Fault `delivery.unavailable` (the server did not get it), `delivery.refused` (it will not take it),
 * `delivery.unknown` (the connection broke after the last byte)
 */
export async function sendMail(
  settings: MailSettings,
  mail: NewMail,
  options: { bounce: 'to us' | 'nowhere'; signal: AbortSignal; now: Date },
): Promise<void> {
  const { smtp, from } = settings
  if (parseEmail(mail.to) === null) throw new Fault('delivery.refused', 'the address is none')
  const bytes = await new MailComposer({ ...toMessage(mail, from), date: options.now }).compile().build()
  options.signal.throwIfAborted()
  // Read once the server has said that it takes the data: up to the last byte it cannot have taken the mail, from then
  // on nobody knows until it says so.
  let handedOver = false
  const body = Readable.from([bytes])
  body.once('end', () => {
    handedOver = true
  })
  const connection = new SMTPConnection({
    ...{ host: smtp.host, port: smtp.port, secure: smtp.tls === 'at-once', ...patienceMs },
    requireTLS: smtp.tls === 'upgrade',
    ignoreTLS: smtp.tls === 'none',
  })
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  connection.on('error', broken.reject)
  connection.on('end', () => broken.reject(new Error('the server closed the connection')))
  const cut = () => broken.reject(options.signal.reason)
  options.signal.addEventListener('abort', cut, { once: true })
  const step = (run: (done: (error?: Error | null) => void) => void) =>
    Promise.race([
      broken.promise,
      new Promise<void>((resolve, reject) => run((error) => (error ? reject(error) : resolve()))),
    ])
  try {
    await step((done) => connection.connect(done))
    const { login } = smtp
    if (login !== null) await step((done) => connection.login({ user: login.user, pass: login.password }, done))
    const envelope = { from: options.bounce === 'to us' ? from.address : '', to: [mail.to] }
    await step((done) => connection.send(envelope, body, done))
    connection.quit()
  } catch (error) {
    // At once: a try that was given up must not go on sending.
    connection.close()
    throw faultOf(error, handedOver)
  } finally {
    options.signal.removeEventListener('abort', cut)
  }
}

/** What the server said decides; where it said nothing, whether it can have the mail. Its words may hold an address. */
function faultOf(cause: unknown, handedOver: boolean): Fault {
  const { responseCode, command, code } = Object(cause) as { responseCode?: unknown; command?: unknown; code?: unknown }
  const at = `${typeof command === 'string' ? command : 'connection'} ${typeof code === 'string' ? code : ''}`.trim()
  if (typeof responseCode === 'number' && responseCode >= 400) {
    const detail = `the SMTP server answered ${responseCode} (${at})`
    // A 5xx before the recipient is about us, not about this mail: somebody has to mend it, and then it goes out.
    const about = typeof command === 'string' && /^(RCPT TO|DATA)/.test(command)
    if (responseCode >= 500 && about) return new Fault('delivery.refused', detail, { cause })
    return new Fault('delivery.unavailable', detail, { cause })
  }
  if (handedOver) return new Fault('delivery.unknown', `the connection broke after the mail (${at})`, { cause })
  return new Fault('delivery.unavailable', `the SMTP server did not get the mail (${at})`, { cause })
}
