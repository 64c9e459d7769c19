import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { connect } from '../shared/store/connect.ts'

export const root = join(import.meta.dirname, '..')

/** Bundles the functions where build/ is missing or older than what it is made of; test files take turns. */
export async function ensureBuild(): Promise<void> {
  const turns = connect(inject('adminUrl'), { max: 1, name: 'test-build' })
  try {
    await turns`select pg_advisory_lock(hashtext('build'))`
    if (await isFresh()) return
    await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
  } finally {
    await turns.end({ timeout: 5 })
  }
}

async function isFresh(): Promise<boolean> {
  const built = await changedAt('build/main.js')
  const sources = ['functions', 'shared', 'web'].map(async (folder) => {
    const names = await readdir(join(root, folder), { recursive: true })
    return names
      .filter((name) => /\.(ts|css|html|svg)$/.test(name) && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name))
  })
  const files = [
    'scripts/build.ts',
    'scripts/bundle/page.ts',
    'package-lock.json',
    ...(await Promise.all(sources)).flat(),
  ]
  const changed = await Promise.all(files.map(changedAt))
  return changed.every((time) => time < built)
}

/** Milliseconds since 1970; 0 for a file that is not there. */
async function changedAt(file: string): Promise<number> {
  return stat(join(root, file)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
