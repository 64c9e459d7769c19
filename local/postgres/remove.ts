import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../shared/errors/fault.ts'
import { claimFolder } from './owner.ts'
import { isOurs, tracesOf } from './place.ts'
import { endProcess, runningIn } from './processes.ts'

/**
 * Removes everything of a folder's database, wherever it was put: stops what runs there, deletes the files, and with
 * the last database the copied binaries.
 * @throws Fault `store.unavailable` where a living process still uses it, or the folder holds something else.
 */
export async function removePostgres(folder: string): Promise<void> {
  const { homes, refuge } = tracesOf(folder)
  for (const home of homes) {
    if (!(await exists(home))) continue
    if (!(await isOurs(home))) throw new Fault('store.unavailable', `${home} is not a database of this project`)
    await claimFolder(home)
    const pid = await runningIn(join(home, 'data'))
    if (pid !== null) await endProcess(pid, 'fast')
    await rm(home, { recursive: true, force: true, maxRetries: 3 })
  }
  const left = await readdir(refuge).catch(() => [])
  if (!left.some((name) => name.startsWith('data-'))) await rm(refuge, { recursive: true, force: true })
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
