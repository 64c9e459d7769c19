import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findFreePorts } from '../../local/platform/ports.ts'
import { connect } from '../../shared/store/connect.ts'

export interface Pooler {
  /** The address that stands for `url` behind the pooler. */
  url: string
  /** The pooler's own console. */
  consoleUrl: string
  version: string
  /** Connections to Postgres at most. */
  size: number
  /** The shell that PgBouncer is the child of. */
  pid: number
  stop(): Promise<void>
}

/** Where PgBouncer is; null where it is not installed. Debian puts it where only root's path leads. */
export async function findPgBouncer(): Promise<string | null> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const folder of folders) {
    const path = join(folder, 'pgbouncer')
    const found = await access(path).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return null
}

/** PgBouncer's own default. */
const size = 20

/**
 * Starts PgBouncer in transaction mode in front of a database, on a free port of 127.0.0.1, with the defaults of
 * 1.18: it refuses every start-up parameter that it does not track. But for one: after a failed log-in it would refuse
 * everybody for 15 seconds, which is what a restart of Postgres would then cost. It ends with this process.
 */
export async function startPooler(program: string, databaseUrl: string): Promise<Pooler> {
  const [port = 0] = await findFreePorts(1)
  const server = new URL(databaseUrl)
  const [user, password] = [decodeURIComponent(server.username), decodeURIComponent(server.password)]
  const database = server.pathname.slice(1)
  const folder = await mkdtemp(join(tmpdir(), 'load-pgbouncer-'))
  const account = process.getuid?.() === 0 ? await nobody() : null
  const owned = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, text, { mode: 0o600 })
    if (account) await chown(path, account.uid, account.gid)
    return path
  }
  if (account) await chown(folder, account.uid, account.gid)
  const users = await owned('users', `${quote(user)} ${quote(password)}\n`)
  const configuration = await owned(
    'pgbouncer.ini',
    `[databases]
${database} = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
admin_users = ${user}
pool_mode = transaction
default_pool_size = ${size}
server_login_retry = 1
max_client_conn = 500
logfile = ${join(folder, 'log')}
`,
  )
  // Its input closes with this process, whatever kills it; then the shell stops it.
  const script = '"$1" -q "$2" & pid=$!; (read -r _; kill -INT "$pid") <&3 & wait "$pid"'
  const child = spawn('/bin/sh', ['-c', script, 'pooler', program, configuration], {
    ...{ cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe', 'pipe'], ...account },
  })
  const ended = once(child, 'exit')
  const lines: string[] = []
  child.stderr?.on('data', (text: Buffer) => lines.push(String(text)))
  const at = (name: string) => {
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${port}`
    url.pathname = `/${name}`
    return url.href
  }
  const stop = async (): Promise<void> => {
    const input = child.stdio[3]
    if (input && 'end' in input) input.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const version = await firstAnswer(at('pgbouncer'), () => child.exitCode !== null).catch(async (error: unknown) => {
    const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '')
    await stop()
    throw new Error(`PgBouncer does not start: ${lines.join('')}${log.slice(-2_000)}`, { cause: error })
  })
  return { url: at(database), consoleUrl: at('pgbouncer'), version, size, pid: child.pid ?? 0, stop }
}

async function firstAnswer(consoleUrl: string, over: () => boolean): Promise<string> {
  const console = connect(consoleUrl, { max: 1, name: 'load-console' })
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [row] = await console.unsafe<{ version: string }[]>('show version').simple()
        return row?.version ?? ''
      } catch (error) {
        if (over() || attempt === 100) throw error
        await pause(50)
      }
    }
  } finally {
    await console.end({ timeout: 1 })
  }
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`

async function nobody(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const [, , uid = '65534', gid = '65534'] = lines.find(([name]) => name === 'nobody') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}
