import { expect, test } from 'vitest'
import { createLog } from './log.ts'

const lines: string[] = []
const log = createLog({ function: 'test' }, { level: 'info', write: (line) => void lines.push(line) })

test('what comes from outside is one line of plain signs, and no longer than anybody reads', () => {
  const detail = `GET sys_user: \u001b[2J\u009b31m\u202eevil\u200b\u{e0041}\u2028\ud800 ${'x'.repeat(900_000)}\n{"level":"info"}`
  log.warn('A tool call failed', { detail, error: new Error(detail), rows: [{ detail }], ['a\u202e']: 1 })
  const [line = ''] = lines
  expect(line).not.toMatch(/[\p{C}\u2028\u2029]|\p{Default_Ignorable_Code_Point}/u)
  expect(line.length).toBeLessThan(30_000)
  const read = JSON.parse(line)
  // Nothing is lost of what is kept: it is written as escapes.
  expect(read.detail.slice(0, 37)).toBe(detail.slice(0, 37))
  expect(read.detail).toMatch(/… \(\d+ characters more\)$/)
  expect(read).toMatchObject({ level: 'warn', function: 'test', 'a\u202e': 1 })
})
