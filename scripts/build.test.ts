import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleFunctions } from './build.ts'

test('a build takes no file away before its successor is there, and leaves no old one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'build-'))
  try {
    await mkdir(join(folder, 'chunks'))
    for (const name of ['main.js', 'chunks/old.js']) await writeFile(join(folder, name), '')
    let looks = 0
    let missed = 0
    const looking = setInterval(() => {
      looks += 1
      if (!existsSync(join(folder, 'main.js'))) missed += 1
    }, 1)
    await bundleFunctions(folder)
    clearInterval(looking)
    expect({ missed, looked: looks > 10 }).toEqual({ missed: 0, looked: true })
    const left = await readdir(folder, { recursive: true })
    expect(left).toEqual(expect.arrayContaining(['main.js', 'agent/index.js', 'servicenow/index.js']))
    expect(left).not.toContain('chunks/old.js')
    expect(left.filter((name) => name.includes('draft'))).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})
