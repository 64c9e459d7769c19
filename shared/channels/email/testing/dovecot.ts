import { spawn } from 'node:child_process'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImapFlow } from 'imapflow'
import { openInbox } from '../inbox.ts'
import type { ServerSettings } from '../settings.ts'
import type { Post } from './running-email.ts'

/** Debian's user of nothing: dovecot runs as that one, whole, in a folder of its own. */
const nobody = 65_534

export interface Dovecot {
  server: ServerSettings
  /** An empty mailbox of a name of its own, and a client that fills it. */
  openPost(): Promise<Post & { client: ImapFlow; mailbox: string }>
  close(): Promise<void>
}

/** Starts a real IMAP server on loopback. `program`: where Debian has it. */
export async function startDovecot(program: string): Promise<Dovecot> {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-dovecot-'))
  const port = await freePort()
  for (const name of ['run', 'state', 'mail']) {
    await mkdir(join(folder, name))
    await chown(join(folder, name), nobody, nobody)
  }
  await chown(folder, nobody, nobody)
  await writeFile(join(folder, 'dovecot.conf'), configuration(folder, port))
  const child = spawn(program, ['-F', '-c', join(folder, 'dovecot.conf')], {
    uid: nobody,
    gid: nobody,
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const server: ServerSettings = { host: '127.0.0.1', port, tls: 'none', login: { user: 'agent', password: 'secret' } }
  const connect = async () => {
    const auth = { user: 'agent', pass: 'secret' }
    const client = new ImapFlow({ host: '127.0.0.1', port, secure: false, auth, logger: false, disableAutoIdle: true })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await (await within(10_000, connect)).logout()
  } catch (error) {
    const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '')
    await stop()
    throw new Error(`dovecot did not start: ${log}`, { cause: error })
  }
  let number = 0
  return {
    server,
    async openPost() {
      number += 1
      const mailbox = `Requests ${number}`
      const client = await connect()
      await client.mailboxCreate(mailbox)
      return {
        client,
        mailbox,
        open: (signal) => openInbox(server, mailbox, signal),
        put: async (raw, arrived) => void (await client.append(mailbox, raw, [], arrived)),
        close: () => client.logout(),
      }
    },
    close: stop,
  }
}

function configuration(folder: string, port: number): string {
  return `
protocols = imap
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${folder}/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`
}

/** Until it succeeds, or so many milliseconds have passed. */
async function within<Result>(patienceMs: number, work: () => Promise<Result>): Promise<Result> {
  const until = Date.now() + patienceMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
