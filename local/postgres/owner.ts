import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../shared/errors/fault.ts'
import { birthOf } from './processes.ts'

/**
 * Writes down that this process runs the database in a folder, so that a second one is refused while it lives and
 * what it leaves is cleaned up when it does not.
 * @throws Fault `store.unavailable` where a living process has the folder.
 */
export async function claimFolder(home: string): Promise<void> {
  const path = join(home, 'owner')
  const claim = `${process.pid} ${await birthOf(process.pid)}`
  for (;;) {
    const [pid = '', ...birth] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
    if (pid !== '' && birth.join(' ') === (await birthOf(Number(pid)))) {
      const who = pid === String(process.pid) ? 'This process' : `Process ${pid}`
      throw new Fault('store.unavailable', `${who} runs the database in ${home}; stop it first, or name another folder`)
    }
    await rm(path, { force: true })
    const won = await writeFile(path, claim, { flag: 'wx', mode: 0o644 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false
        throw error
      },
    )
    if (won) return
  }
}

export async function releaseFolder(home: string): Promise<void> {
  await rm(join(home, 'owner'), { force: true })
}
