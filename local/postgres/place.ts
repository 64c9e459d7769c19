import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, lstat, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../../shared/errors/fault.ts'
import { type Binaries, copyBinaries, findBinaries } from './binaries.ts'

/** An operating system account. */
export interface Account {
  uid: number
  gid: number
}

export interface Place {
  /** What the caller named. */
  folder: string
  /** Where it really lives: the same, unless Postgres' account could not reach it. */
  home: string
  binaries: Binaries
  /** Who runs Postgres; null: we do. Root may not, so there it is `postgres` or else `nobody`. */
  account: Account | null
}

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** The folder for what a root's clone under a closed folder (such as /root) cannot hold. */
export function refugeOf(repositoryPath: string): string {
  const hash = createHash('sha256').update(resolve(repositoryPath)).digest('hex').slice(0, 12)
  return `/var/tmp/self-service-agent-${hash}`
}

/** Where the database of `folder` lives when its own path cannot be reached. */
export function refugeFor(folder: string, repositoryPath: string = repository): string {
  const hash = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12)
  return join(refugeOf(repositoryPath), `data-${hash}`)
}

/**
 * Decides who runs Postgres, with which binaries, and where its files are; makes the folder.
 * @throws Fault `store.unavailable` where the folder holds something else, or cannot be made.
 */
export async function placeFor(named: string): Promise<Place> {
  const folder = resolve(named)
  const installed = await findBinaries()
  await mkdir(dirname(folder), { recursive: true }).catch(refuse(folder))
  if (process.getuid?.() !== 0) {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(refuse(folder))
    await checkOurs(folder)
    await access(folder, constants.W_OK).catch(refuse(folder))
    return { folder, home: folder, binaries: installed, account: null }
  }
  const account = await unprivileged()
  const binariesReached = await reaches(account, join(installed.folder, 'bin', 'postgres'), 0o5)
  const folderReached = await reaches(account, dirname(folder), 0o1)
  if (!binariesReached || !folderReached) await makeRefuge()
  const home = folderReached ? folder : refugeFor(folder)
  await mkdir(home, { recursive: true }).catch(refuse(home))
  await checkOurs(home)
  // The account walks through to its data but owns no more: it could plant a link for root to follow.
  await chmod(home, 0o711)
  const binaries = binariesReached ? installed : await copyBinaries(installed, refugeOf(repository))
  return { folder, home, binaries, account }
}

/** The places that may hold files of `folder`'s database, for whoever removes it. */
export function tracesOf(named: string): { homes: string[]; refuge: string } {
  return { homes: [resolve(named), refugeFor(named)], refuge: refugeOf(repository) }
}

/** True for an empty folder, and for one that a start of ours has marked: with its claim first, then its password. */
export async function isOurs(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  return names.includes('password') || names.every((name) => name === 'owner')
}

async function checkOurs(folder: string): Promise<void> {
  if (await isOurs(folder)) return
  throw new Fault('store.unavailable', `${folder} holds files that are not a database of this project; name another`)
}

async function unprivileged(): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? []
    // macOS spells nobody's number -2.
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
  }
  return { uid: 65534, gid: 65534 }
}

/** Whether an account without further groups can walk to an existing path and has the given rights (rwx: 4 2 1) to it. */
async function reaches(account: Account, path: string, rights: number): Promise<boolean> {
  let wanted = rights
  for (let step = await realpath(path); ; step = dirname(step)) {
    const { uid, gid, mode } = await stat(step)
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
    if (((mode >> shift) & wanted) !== wanted) return false
    if (step === dirname(step)) return true
    wanted = 0o1
  }
}

/** /var/tmp is everybody's: a folder that somebody else planted there is refused. */
async function makeRefuge(): Promise<void> {
  const refuge = refugeOf(repository)
  await mkdir(refuge, { recursive: true, mode: 0o755 })
  const found = await lstat(refuge)
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Fault('store.unavailable', `${refuge} belongs to somebody else; look at it and remove it`)
  }
}

function refuse(folder: string) {
  return (error: NodeJS.ErrnoException): never => {
    const why = error.code === 'EACCES' || error.code === 'EPERM' ? 'no permission' : error.message
    throw new Fault('store.unavailable', `The database folder ${folder} cannot be used: ${why}`, { cause: error })
  }
}
