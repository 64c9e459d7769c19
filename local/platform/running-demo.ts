import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import type { Environment } from '../../shared/settings/environment.ts'
import { birthOf } from '../postgres/processes.ts'

const schema = z.object({ pid: z.int(), birth: z.string(), api: z.url(), issuer: z.url() })

/** What a running demo says about itself in its data folder. */
export interface RunningDemo {
  pid: number
  /** Where its API is. */
  api: string
  /** The issuer whose tokens it takes. */
  issuer: string
}

const fileIn = (data: string) => join(data, 'demo.json')

/** The demo that runs on a data folder; null where none does, whatever a killed one left there. */
export async function findRunningDemo(data: string): Promise<RunningDemo | null> {
  const text = await readFile(fileIn(data), 'utf8').catch(() => '')
  const parsed = schema.safeParse(readJson(text))
  if (!parsed.success) return null
  const { birth, ...demo } = parsed.data
  return birth !== '' && birth === (await birthOf(demo.pid)) ? demo : null
}

/**
 * Writes down that this process runs the demo on a data folder.
 * @throws Error whose one sentence names the process that already does.
 */
export async function announceDemo(data: string, demo: Omit<RunningDemo, 'pid'>): Promise<void> {
  const other = await findRunningDemo(data)
  if (other !== null) throw new Error(`A demo already runs on ${data} (process ${other.pid}): stop it first.`)
  const { pid } = process
  await writeFile(fileIn(data), JSON.stringify({ pid, birth: await birthOf(pid), ...demo }))
}

export async function withdrawDemo(data: string): Promise<void> {
  if ((await findRunningDemo(data))?.pid === process.pid) await rm(fileIn(data), { force: true })
}

/**
 * The environment with the addresses of the running demo (API_URL, OIDC_ISSUER, and DATA_DIR for its key) where it
 * names none. Who names another key's folder means another issuer, so then nothing is filled in.
 */
export async function withRunningDemo(environment: Environment, root: string): Promise<Environment> {
  if (environment['DATA_DIR']) return environment
  const data = environment['DEMO_DATA_DIR'] || join(root, '.data')
  const demo = await findRunningDemo(data)
  return {
    ...environment,
    DATA_DIR: join(data, 'issuer'),
    API_URL: environment['API_URL'] || demo?.api,
    OIDC_ISSUER: environment['OIDC_ISSUER'] || demo?.issuer,
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Written by a process that was killed as it wrote: no demo runs there.
  }
}
