import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'

/** Milliseconds between two looks. */
const interval = 250

/**
 * Holds this process to the one that started it: calls back once a file, which is made here, is gone, or the parent is.
 * Make hands a SIGTERM on to what it runs but no SIGINT and no SIGHUP, as these mostly reach the whole terminal; what it
 * does at each of the three is to remove the target that it was making (POSIX, make, "Asynchronous Events").
 */
export async function holdLeash(file: string, released: () => void): Promise<{ drop(): Promise<void> }> {
  const parent = process.ppid
  // Make removes only what has changed since it looked.
  await writeFile(file, String(process.pid))
  const timer = setInterval(() => {
    if (existsSync(file) && process.ppid === parent) return
    clearInterval(timer)
    released()
  }, interval)
  timer.unref()
  return {
    async drop() {
      clearInterval(timer)
      await rm(file, { force: true })
    },
  }
}
