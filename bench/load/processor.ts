import { readdir, readFile } from 'node:fs/promises'
import { round } from './figures.ts'
import type { Stack } from './stack.ts'

/** Processor milliseconds so far, by part: the instances of a function together. */
export async function processorTimes(stack: Stack): Promise<Map<string, number>> {
  const { instances, others } = stack.fleet
  const parts = [...instances.map(({ function: name, pid }) => ({ name, pid })), ...others]
  parts.push({ name: 'this program: senders, listeners', pid: process.pid })
  const times = new Map<string, number>()
  for (const { name, pid } of parts) {
    times.set(name, (times.get(name) ?? 0) + ((await processorTime(pid)) ?? 0))
  }
  const [backend] = await stack.admin<{ pid: number }[]>`select pg_backend_pid() as pid`
  const server = await parentOf(backend?.pid ?? 0)
  const [postgres, pooler] = [await familyTime(server ?? 0), await familyTime(stack.pooler?.pid ?? 0)]
  if (postgres !== null) times.set(`postgres ${server}`, postgres)
  if (pooler !== null) times.set('pgbouncer', pooler)
  return times
}

/** What each part used in between, for one turn. */
export function spentATurn(
  before: Map<string, number>,
  after: Map<string, number>,
  turns: number,
): Record<string, number> {
  const both = [...after].flatMap(([name, time]) => {
    const earlier = before.get(name)
    // A Postgres that crashed took its count with it.
    return earlier === undefined
      ? []
      : [{ name: name.replace(/ \d+$/, ''), each: (time - earlier) / Math.max(1, turns) }]
  })
  return Object.fromEntries(both.map(({ name, each }) => [name, round(each)]))
}

/** Milliseconds of processor time that a process has used, its children left out; null where nobody can tell. */
async function processorTime(pid: number): Promise<number | null> {
  const fields = await statOf(pid)
  return fields === null ? null : ticks(fields, own)
}

/** The same for a server with all processes that it has, or had, as its children. */
async function familyTime(pid: number): Promise<number | null> {
  const fields = await statOf(pid)
  if (fields === null) return null
  const everybody = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const children = (await Promise.all(everybody.map(statOf))).filter((stat) => stat?.[1] === String(pid))
  return ticks(fields, ended) + children.reduce((sum, stat) => sum + (stat === null ? 0 : ticks(stat, own)), 0)
}

/** The process that started this one; null where nobody can tell. */
async function parentOf(pid: number): Promise<number | null> {
  const fields = await statOf(pid)
  return fields === null ? null : Number(fields[1])
}

/** Fields of /proc/<pid>/stat from the state on: user and system time, and those of the children that have ended. */
const own = [11, 12]
const ended = [...own, 13, 14]

async function statOf(pid: number): Promise<string[] | null> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return line === '' ? null : line.slice(line.lastIndexOf(')') + 2).split(' ')
}

/** Linux counts in hundredths of a second. */
function ticks(fields: string[], which: number[]): number {
  return which.reduce((sum, index) => sum + Number(fields[index]) * 10, 0)
}
