import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Fault } from '../../shared/errors/fault.ts'

/** How Postgres is told to stop: wait for clients, break them off, or crash on purpose (recovery at the next start). */
export type StopMode = 'smart' | 'fast' | 'immediate'

export const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const satisfies Record<
  StopMode,
  NodeJS.Signals
>

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Something that tells this process from a later one with the same number; '' where it is gone or a zombie. */
export async function birthOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return ps(pid, 'lstart=')
  const fields = await statOf(pid)
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

/** The process number in a data folder's postmaster.pid, where that process is a Postgres of this very folder. */
export async function runningIn(data: string): Promise<number | null> {
  const pid = await pidIn(data)
  if (pid === null || !isAlive(pid)) return null
  const command = await commandOf(pid)
  const real = await realpath(data).catch(() => data)
  return /(^|\/)postgres\b/.test(command[0] ?? '') && (command.includes(data) || command.includes(real)) ? pid : null
}

/**
 * A postmaster.pid whose number now belongs to a stranger (common in containers) would keep Postgres from starting.
 * Postgres takes its parent's number for no conflict, and still checks that the shared memory is free, which it could
 * not if the file were gone.
 */
export async function disownPid(data: string): Promise<void> {
  const pid = await pidIn(data)
  if (pid === null || !isAlive(pid) || (await runningIn(data)) !== null) return
  const path = join(data, 'postmaster.pid')
  const lines = (await readFile(path, 'utf8')).split('\n')
  const flag = constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW
  await writeFile(path, [process.pid, ...lines.slice(1)].join('\n'), { flag })
}

/** Signals a process and waits until it is gone; crashes it if it takes longer than 30 seconds. */
export async function endProcess(pid: number, mode: StopMode): Promise<void> {
  signal(pid, signals[mode])
  if (await goneWithin(pid, 30_000)) return
  signal(pid, 'SIGQUIT')
  if (await goneWithin(pid, 10_000)) return
  throw new Fault('store.unavailable', `Postgres (process ${pid}) does not stop`)
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  while (isAlive(pid) && !(await isZombie(pid))) {
    if (performance.now() > until) return false
    await pause(10)
  }
  return true
}

/** A child of a killed parent may stay a zombie where nobody reaps it (a container without an init). */
async function isZombie(pid: number): Promise<boolean> {
  return process.platform === 'linux' && (await statOf(pid))[0] === 'Z'
}

/** Fields of /proc/<pid>/stat from the state on; the command's name before it may itself hold blanks and brackets. */
async function statOf(pid: number): Promise<string[]> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return line === '' ? [] : line.slice(line.lastIndexOf(')') + 2).split(' ')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return
    throw error
  }
}

async function pidIn(data: string): Promise<number | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return pid > 0 ? pid : null
}

async function commandOf(pid: number): Promise<string[]> {
  if (process.platform !== 'linux') return (await ps(pid, 'command=')).split(' ')
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
}

async function ps(pid: number, columns: string): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', columns, '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim()
}
