import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connect } from '../../shared/store/connect.ts'
import { birthOf, isAlive } from './processes.ts'
import { removePostgres } from './remove.ts'
import { type PostgresOptions, type RunningPostgres, startPostgres } from './start.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

// Most tests can do with a database that is there already; each stops it again.
let used: string
beforeAll(async () => {
  used = await mkdtemp(join(tmpdir(), 'self-service-agent-start-'))
  await (await startPostgres({ folder: used, port: 0, settings })).stop()
})
afterAll(() => removePostgres(used))

const settings = { fsync: 'off', full_page_writes: 'off', shared_buffers: '16MB', max_connections: '10' }

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-start-'))
  cleanups.push(() => removePostgres(folder))
  return folder
}

async function start(options: Partial<PostgresOptions> & { folder: string }): Promise<RunningPostgres> {
  const server = await startPostgres({ port: 0, settings, ...options })
  cleanups.push(() => server.stop('immediate'))
  return server
}

async function ask(url: string, query: string): Promise<unknown[]> {
  const database = connect(url, { max: 1 })
  try {
    return [...(await database.unsafe(query))]
  } finally {
    await database.end({ timeout: 1 })
  }
}

/** A process that starts the database of a folder and then only lives. */
async function startInChild(folder: string): Promise<{ parent: ChildProcess; pid: number }> {
  const source = `
    import { startPostgres } from ${JSON.stringify(fileURLToPath(new URL('start.ts', import.meta.url)))}
    const server = await startPostgres({ folder: ${JSON.stringify(folder)}, port: 0, settings: ${JSON.stringify(settings)} })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanups.push(async () => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer]
  return { parent, pid: Number(line) }
}

/** The number of the one process whose command line holds a text. */
async function findProcess(text: string): Promise<number> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', listProcesses])
  const found = stdout.split('\n').filter((line) => line.includes(text))
  expect(found).toHaveLength(1)
  return Number.parseInt(found[0] ?? '', 10)
}
// A slim container has no ps.
const listProcesses =
  process.platform === 'linux'
    ? `for p in /proc/[0-9]*; do echo "\${p#/proc/} $(tr '\\0' ' ' <$p/cmdline 2>/dev/null)"; done`
    : 'ps -axo pid=,command='

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(10)
}

test('a first start creates the database; what it holds outlives a stop, a crash and a restart', async () => {
  const folder = await newFolder()
  const said: string[] = []
  const first = await start({ folder, log: (text) => said.push(text) })
  expect(said).toEqual([`Creating a database in ${first.folder}`])
  await ask(first.url, "create table kept as select 'ü' as word")
  const { pid } = first
  await first.restart('immediate')
  expect(first.pid).not.toBe(pid)
  expect(await ask(first.url, 'select word from kept')).toEqual([{ word: 'ü' }])
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)

  const second = await start({ folder, port: first.port, log: (text) => said.push(text) })
  expect(said).toHaveLength(1)
  expect(second.url).toBe(first.url)
  expect(await ask(second.url, 'select word from kept')).toEqual([{ word: 'ü' }])
})

test('it is UTF-8, in order of code points, on the loopback address alone, and asks for its password', async () => {
  const server = await start({ folder: used })
  expect(
    await ask(
      server.url,
      `select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets,
        current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone,
        lower('Ä') as lower, 'Z' < 'a' as ordered, current_setting('server_version_num')::int / 10000 as version`,
    ),
  ).toEqual([
    { listen: '127.0.0.1', sockets: '', encoding: 'UTF8', zone: 'UTC', lower: 'ä', ordered: true, version: 18 },
  ])
  const intruder = new URL(server.url)
  intruder.password = 'guess'
  await expect(ask(intruder.href, 'select 1')).rejects.toThrow(/password authentication failed/)
  expect((await stat(join(server.folder, 'password'))).mode & 0o777).toBe(0o600)
})

test('a port that is taken is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const folder = used
  await expect(start({ folder, port })).rejects.toThrow(`Port ${port} is in use`)
  // The failed start lets go of the folder.
  await start({ folder })
})

test('a bad setting is explained with the end of the log', async () => {
  const options = { folder: used, settings: { ...settings, shared_buffers: 'plenty' } }
  await expect(start(options)).rejects.toThrow(/does not start .*invalid value for parameter "shared_buffers"/)
})

test('a folder of something else is neither used nor removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-start-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'thesis.txt'), 'mine')
  await expect(start({ folder })).rejects.toThrow(/holds files that are not a database/)
  await expect(removePostgres(folder)).rejects.toThrow(/not a database/)
  expect(await readdir(folder)).toEqual(['thesis.txt'])
})

test('a second start in the same folder is refused while the first lives', async () => {
  const folder = used
  await start({ folder })
  await expect(start({ folder })).rejects.toThrow(/This process runs the database in .*stop it first/)
  await expect(removePostgres(folder)).rejects.toThrow(/stop it first/)
})

test('the database stops when the process that started it is killed', async () => {
  const folder = used
  const { parent, pid } = await startInChild(folder)
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await until(() => !isAlive(pid))
  const server = await start({ folder })
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('what outlived a killed run is stopped by the next start', async () => {
  const folder = used
  const { parent, pid } = await startInChild(folder)
  const watcher = await findProcess(`watcher ${pid} `)
  process.kill(watcher, 'SIGKILL')
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  expect(isAlive(pid)).toBe(true)
  const said: string[] = []
  const server = await start({ folder, log: (text) => said.push(text) })
  expect(said).toEqual([`Stopping the Postgres of an earlier run (process ${pid})`])
  expect(server.pid).not.toBe(pid)
})

test("a stranger that got a killed Postgres' process number is left alone and does not block the start", async () => {
  const folder = used
  const first = await start({ folder })
  const pidFile = join(first.folder, 'data', 'postmaster.pid')
  const written = await readFile(pidFile, 'utf8')
  await first.stop('immediate')
  const stranger = spawn('sleep', ['60'])
  cleanups.push(async () => stranger.kill())
  await writeFile(pidFile, written.replace(/^\d+/, String(stranger.pid)))
  const owner = join(first.folder, 'owner')
  await writeFile(owner, `${stranger.pid} long ago`)
  const second = await start({ folder })
  expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(isAlive(stranger.pid ?? 0)).toBe(true)
  expect(await readFile(owner, 'utf8')).toBe(`${process.pid} ${await birthOf(process.pid)}`)
})

test('a folder below a closed one works as well, and removing leaves nothing of it', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'self-service-agent-closed-'))
  cleanups.push(() => rm(closed, { recursive: true, force: true }))
  const folder = join(closed, 'clone', 'database')
  await mkdir(join(closed, 'clone'))
  const server = await startPostgres({ folder, port: 0, settings })
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  // Only root hands Postgres to another account, which cannot walk through a closed folder.
  if (process.getuid?.() === 0) expect(server.folder).toMatch(/^\/var\/tmp\/self-service-agent-[0-9a-f]{12}\/data-/)
  else expect(server.folder).toBe(folder)
  await server.stop()
  await removePostgres(folder)
  await expect(stat(server.folder)).rejects.toThrow(/ENOENT/)
})
