import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ChildPlan {
  name: string
  /** Arguments of Node.js. */
  arguments: string[]
  environment: Record<string, string>
  /** Answers 200 when the process can do its work. */
  readyUrl: string
}

export interface Child {
  name: string
  process: ChildProcess
  /** Milliseconds from the start of the process until it was ready. */
  readyMs: number
  /** Resolves with how the process ended. */
  ended: Promise<string>
  /** SIGTERM, then SIGKILL after `graceMs`. */
  stop(graceMs?: number): Promise<void>
}

export interface ChildOptions {
  logs: string
  cwd: string
  /** Milliseconds that it has to get ready; default 15,000. */
  timeoutMs?: number
  /** Gives the start up. */
  signal?: AbortSignal
  /** Keeps what its log says of an earlier run. */
  appends?: boolean
}

/**
 * Starts a process of the platform and waits until it is ready. Its output goes to `<logs>/<name>.log`.
 * @throws Error with the tail of that log where the process ends first or is not ready in time, and the signal's reason
 * where that gives the start up.
 */
export async function startChild(plan: ChildPlan, options: ChildOptions): Promise<Child> {
  mkdirSync(options.logs, { recursive: true })
  const logFile = join(options.logs, `${plan.name}.log`)
  const log = createWriteStream(logFile, { flags: options.appends ? 'a' : 'w' })
  const started = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...plan.arguments], {
    cwd: options.cwd,
    env: { ...process.env, ...plan.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C reaches the platform, which stops its processes in order.
    detached: true,
  })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
  let running = true
  void ended.then(() => {
    running = false
  })
  const stop = async (graceMs = 5_000): Promise<void> => {
    if (!running) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }
  const deadline = started + (options.timeoutMs ?? 15_000)
  while (!(await isReady(plan.readyUrl))) {
    if (!running || options.signal?.aborted || performance.now() > deadline) {
      const how = running ? 'was not ready in time' : `ended with ${await ended}`
      await stop(1_000)
      options.signal?.throwIfAborted()
      throw new Error(`${plan.name} ${how}. Its log (${logFile}) ends with:\n${await tail(logFile)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { name: plan.name, process: child, readyMs: performance.now() - started, ended, stop }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').slice(-12).join('\n').trim() || '(nothing)'
}
