import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Numbers of all processes below one, at any depth. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const parents = await readParents()
  const found: number[] = []
  for (let level = [pid]; level.length > 0; found.push(...level)) {
    const above = level
    level = [...parents].filter(([, parent]) => above.includes(parent)).map(([child]) => child)
  }
  return found
}

/** Parent by process, zombies left out: nothing runs in them. */
async function readParents(): Promise<Map<number, number>> {
  const parents = new Map<number, number>()
  // A slim container has no ps.
  if (process.platform === 'linux') {
    const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const lines = await Promise.all(numbers.map((number) => readFile(`/proc/${number}/stat`, 'utf8').catch(() => '')))
    for (const [index, line] of lines.entries()) {
      const [state, parent] = line.slice(line.lastIndexOf(')') + 2).split(' ')
      if (line !== '' && state !== 'Z') parents.set(Number(numbers[index]), Number(parent))
    }
    return parents
  }
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,stat='])
  for (const line of stdout.trim().split('\n')) {
    const [pid, parent, state = ''] = line.trim().split(/\s+/)
    if (!state.startsWith('Z')) parents.set(Number(pid), Number(parent))
  }
  return parents
}

/** Those of the processes that still run. */
export async function stillRunning(pids: readonly number[]): Promise<number[]> {
  const parents = await readParents()
  return pids.filter((pid) => parents.has(pid))
}
