import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { completeLinks, copyBinaries, findBinaries } from './binaries.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'self-service-agent-binaries-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the installed Postgres runs', async () => {
  const { folder: installed, version } = await findBinaries()
  const said = execFileSync(join(installed, 'bin', 'postgres'), ['--version']).toString()
  expect(said).toContain(`(PostgreSQL) ${version.split('.').slice(0, 2).join('.')}`)
})

test('links that npm left out are made, once, and those that are there are kept', async () => {
  await mkdir(join(folder, 'native', 'lib'), { recursive: true })
  const links = ['a.so', 'a.so.1'].map((name) => ({ source: 'native/lib/a.so.1.2', target: `native/lib/${name}` }))
  await writeFile(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links))
  await writeFile(join(folder, 'native', 'lib', 'a.so.1.2'), 'library')
  await Promise.all([completeLinks(folder), completeLinks(folder)])
  await completeLinks(folder)
  expect(await readlink(join(folder, 'native', 'lib', 'a.so'))).toBe('a.so.1.2')
  expect(await readlink(join(folder, 'native', 'lib', 'a.so.1'))).toBe('a.so.1.2')
})

test('a copy is made once a version, whole, and open to every account', async () => {
  const source = join(folder, 'closed')
  await mkdir(join(source, 'bin'), { recursive: true })
  await writeFile(join(source, 'bin', 'postgres'), '#!/bin/sh\necho ran')
  await chmod(join(source, 'bin', 'postgres'), 0o700)
  await writeFile(join(source, 'readme'), 'text', { mode: 0o600 })
  await chmod(source, 0o700)
  const from = { folder: source, version: '18.4' }
  const copies = await Promise.all([1, 2, 3].map(() => copyBinaries(from, join(folder, 'to'))))
  expect(new Set(copies.map((copy) => copy.folder))).toEqual(new Set([join(folder, 'to', 'binaries-18.4')]))
  expect(await readdir(join(folder, 'to'))).toEqual(['binaries-18.4'])
  const mode = async (path: string) => (await stat(join(folder, 'to', 'binaries-18.4', path))).mode & 0o777
  expect(await Promise.all(['.', 'bin', 'bin/postgres', 'readme'].map(mode))).toEqual([0o755, 0o755, 0o755, 0o644])
})
