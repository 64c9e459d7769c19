import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../shared/errors/fault.ts'
import { claimFolder, releaseFolder } from './owner.ts'
import { type Place, placeFor } from './place.ts'
import { disownPid, endProcess, isAlive, runningIn, type StopMode, signals } from './processes.ts'

export interface PostgresOptions {
  /** The database's folder; made on first use. */
  folder: string
  /** 0: a free one. */
  port: number
  /** Settings of postgresql.conf over ours. */
  settings?: Record<string, string>
  /** Takes sentences about what is going on. */
  log?: (text: string) => void
}

export interface RunningPostgres {
  /** With user and password, for the database `postgres`. */
  readonly url: string
  readonly port: number
  /** Where the files really are. */
  readonly folder: string
  readonly pid: number
  /** Resolves with how the server that runs now ends, whoever ends it. */
  readonly ended: Promise<string>
  stop(mode?: StopMode): Promise<void>
  /** Stops and starts on the same port; `immediate` is a crash. */
  restart(mode?: StopMode): Promise<void>
}

const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '128MB',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_line_prefix: '%m [%p] %q%a ',
}

/**
 * Starts a real Postgres 18 on 127.0.0.1, and creates its files on first use (UTF-8, C.UTF-8, a random password in a
 * 0600 file). What an earlier, killed run left running in the folder is stopped first. When this process dies,
 * however it dies, a watcher stops the database; if the watcher is killed too, the next start does.
 * @throws Fault `store.unavailable` with a sentence for a person: port taken, folder in use, no permission, log's end.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const log = options.log ?? (() => {})
  const place = await placeFor(options.folder)
  await claimFolder(place.home)
  try {
    const data = join(place.home, 'data')
    const orphan = await runningIn(data)
    if (orphan !== null) {
      log(`Stopping the Postgres of an earlier run (process ${orphan})`)
      await endProcess(orphan, 'fast')
    }
    const password = await create(place, options, log)
    await disownPid(data)
    let running = await launchOnPort(place, options)
    const { port } = running
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      port,
      folder: place.home,
      get pid() {
        return running.pid
      },
      get ended() {
        return running.ended
      },
      async stop(mode = 'fast') {
        await running.stop(mode)
        await releaseFolder(place.home)
      },
      async restart(mode = 'fast') {
        await running.stop(mode)
        running = await launchOnPort(place, { ...options, port })
      },
    }
  } catch (error) {
    await releaseFolder(place.home)
    throw error
  }
}

/** Creates the cluster where there is none, and returns its password. */
async function create(place: Place, options: PostgresOptions, log: (text: string) => void): Promise<string> {
  const data = join(place.home, 'data')
  const passwordFile = join(place.home, 'password')
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null)
  if (version !== null) {
    if (version.trim() === place.binaries.version.split('.')[0]) return readFile(passwordFile, 'utf8')
    const detail = `The database in ${place.home} was made by Postgres ${version.trim()}, this is ${place.binaries.version}: dump it with the older one, or remove it`
    throw new Fault('store.unavailable', detail)
  }
  log(`Creating a database in ${place.home}`)
  const password = randomBytes(24).toString('base64url')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (place.account) await chown(passwordFile, place.account.uid, place.account.gid)
  // A killed initdb leaves half a cluster: it counts only once it has its name.
  const draft = join(place.home, 'data.draft')
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  if (place.account) await chown(draft, place.account.uid, place.account.gid)
  const child = spawnIn(place, 'initdb', 'initdb.log', [
    ...['-D', draft, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(options.settings?.['fsync'] === 'off' ? ['--no-sync'] : []),
    '--no-instructions',
  ])
  const how = await (await child).exited.catch((error: unknown) => {
    throw new Fault('store.unavailable', 'initdb cannot be run', { cause: error })
  })
  if (how !== 'code 0')
    throw new Fault('store.unavailable', `Postgres' files cannot be made: ${await tail(place, 'initdb.log')}`)
  await rename(draft, data)
  return password
}

async function launchOnPort(place: Place, options: PostgresOptions): Promise<Launched> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port === 0 ? await freePort() : options.port
    try {
      return await launch(place, port, options.settings)
    } catch (error) {
      const why = Fault.is(error) ? error.message : ''
      // Somebody may take a free port before Postgres does; a killed Postgres' children may take a moment to end.
      const passes = (options.port === 0 && why.includes('is in use')) || why.includes('shared memory block')
      if (!passes || attempt === 20) throw error
      await pause(100)
    }
  }
}

interface Launched {
  pid: number
  port: number
  ended: Promise<string>
  stop(mode: StopMode): Promise<void>
}

async function launch(place: Place, port: number, settings: Record<string, string> = {}): Promise<Launched> {
  const data = join(place.home, 'data')
  await rename(join(place.home, 'log'), join(place.home, 'log.previous')).catch(() => {})
  const chosen = Object.entries({ ...defaults, ...settings, port: String(port) })
  const { child, exited } = await spawnIn(place, 'postgres', 'log', [
    ...['-D', data],
    ...chosen.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const { pid } = child
  if (pid === undefined) throw new Fault('store.unavailable', `Postgres cannot be run: ${await failure(exited)}`)
  const watcher = watch(place, pid, data)
  let over = false
  const ended = exited
    .catch((error: Error) => error.message)
    .then((how) => {
      over = true
      watcher.kill('SIGKILL')
      return how
    })
  while (!over && !(await isReady(data, pid))) await pause(10)
  if (over) throw new Fault('store.unavailable', explain(await tail(place, 'log'), place, port))
  child.unref()
  return {
    pid,
    port,
    ended,
    async stop(mode) {
      child.ref()
      if (!over && isAlive(pid)) process.kill(pid, signals[mode])
      const slow = new AbortController()
      const late = pause(30_000, 'late', { signal: slow.signal, ref: false }).catch(() => 'done')
      if ((await Promise.race([ended, late])) === 'late') process.kill(pid, 'SIGQUIT')
      slow.abort()
      await ended
    },
  }
}

/** Stops Postgres when our end of its input closes: with this process, whatever kills it. */
function watch(place: Place, pid: number, data: string): ChildProcess {
  const script = 'read -r _; read -r pid <"$2/postmaster.pid" && [ "$pid" = "$1" ] && kill -INT "$1"'
  const watcher = spawn('/bin/sh', ['-c', script, 'watcher', String(pid), data], {
    ...{ cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'], ...place.account },
  })
  // Without a watcher the next start cleans up.
  watcher.on('error', () => {})
  watcher.unref()
  return watcher
}

/** Detached, so that Ctrl-C in a terminal reaches us first and the database is stopped last. */
async function spawnIn(place: Place, program: string, logName: string, argv: string[]) {
  const logFile = await open(join(place.home, logName), 'w', 0o600)
  try {
    const child = spawn(join(place.binaries.folder, 'bin', program), argv, {
      ...{ cwd: place.home, detached: true, stdio: ['ignore', logFile.fd, logFile.fd], ...place.account },
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    })
    const exited = once(child, 'exit').then(([code, signal]) => String(signal ?? `code ${code}`))
    exited.catch(() => {})
    return { child, exited }
  } finally {
    await logFile.close()
  }
}

async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Fault('store.unavailable', 'There is no free port')
  return address.port
}

async function tail(place: Place, name: string): Promise<string> {
  const text = await readFile(join(place.home, name), 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-8).join(' | ') || 'it says nothing'
}

function explain(end: string, place: Place, port: number): string {
  if (end.includes('Address already in use')) return `Port ${port} is in use: stop what listens there, or name another`
  if (/Permission denied|has wrong ownership/.test(end)) return `Postgres has no permission in ${place.home}: ${end}`
  return `Postgres does not start (${join(place.home, 'log')}): ${end}`
}

async function failure(exited: Promise<unknown>): Promise<string> {
  return exited.then(
    () => 'it ended at once',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
