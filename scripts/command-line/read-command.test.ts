import { afterEach, expect, test, vi } from 'vitest'
import { readCommand } from './read-command.ts'

afterEach(() => void vi.restoreAllMocks())

/** What a script does with the words that a person typed: the code and the text it ends with, or what it read. */
function read(words: string[]) {
  const printed: string[] = []
  const print = (text: unknown) => printed.push(String(text)) > 0
  vi.spyOn(process.stdout, 'write').mockImplementation(print)
  vi.spyOn(process.stderr, 'write').mockImplementation(print)
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`)
  })
  try {
    const command = readCommand('Usage: it', { flags: ['write'], valued: ['scope'], positionals: 1 }, words)
    return { write: command.has('write'), scope: command.values('scope'), positionals: command.positionals }
  } catch (error) {
    return `${error instanceof Error ? error.message : error}: ${printed.join('')}`
  }
}

test.each([
  [[], { write: false, scope: [], positionals: [] }],
  [['--write', 'a'], { write: true, scope: [], positionals: ['a'] }],
  [['--scope', 'a', '--scope=b', '--', '--write'], { write: false, scope: ['a', 'b'], positionals: ['--write'] }],
  [['--help'], 'exit 0: Usage: it\n'],
  [['-h', 'a', 'b'], 'exit 0: Usage: it\n'],
  [['--wriet'], 'exit 1: There is no option --wriet: --help says what there is.\n'],
  [['-x'], 'exit 1: There is no option -x: --help says what there is.\n'],
  [['--write=yes'], 'exit 1: --write takes no value.\n'],
  [['--scope'], 'exit 1: --scope takes a value: --help says which.\n'],
  [['--scope='], 'exit 1: --scope takes a value: --help says which.\n'],
  [['a', 'b'], 'exit 1: "b" is a word too many: --help says what this takes.\n'],
])('%j', (words, expected) => expect(read(words)).toEqual(expected))
