import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')
const scripts = readdirSync(folder).filter((name) => /\.(ts|sh)$/.test(name) && !name.includes('.test.'))

function run(script: string, word: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, ...before] = script.endsWith('.sh') ? ['sh'] : [process.execPath]
  return new Promise((resolve) => {
    execFile(
      program ?? '',
      [...before, join(folder, script), word],
      { cwd: folder, env: { PATH: process.env['PATH'] }, timeout: 20_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

test.each(scripts)('%s says what it is for', async (script) => {
  const { code, stdout, stderr } = await run(script, '--help')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.length).toBeGreaterThan(100)
})

// What comes after node.sh is Node.js' own.
test.each(scripts.filter((script) => script !== 'node.sh'))(
  '%s refuses an option that it does not know',
  async (script) => {
    const { code, stdout, stderr } = await run(script, '--nonsense')
    expect(code).toBeGreaterThan(0)
    expect(stdout).toBe('')
    expect(stderr).toContain('--nonsense')
    expect(stderr).not.toContain('    at ')
  },
)
