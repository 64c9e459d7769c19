import { Fault } from '../errors/fault.ts'
import type { Row } from './source.ts'

interface Line {
  /** Where it starts in the file, from 1. */
  at: number
  values: string[]
}

/**
 * Reads CSV as RFC 4180 has it (header first; lines may also end in LF alone) into rows of strings, byte for byte:
 * nothing is trimmed, guessed or dropped.
 * @throws Fault `knowledge.invalid` with file and line.
 */
export function parseCsv(file: string, text: string): Row[] {
  const [header, ...lines] = splitLines(file, text)
  if (header === undefined) throw fault(file, 1, 'has no header')
  const names = header.values
  const odd = names.find((name, index) => name === '' || names.indexOf(name) !== index)
  if (odd !== undefined) throw fault(file, 1, odd === '' ? 'a column has no name' : `the column "${odd}" stands twice`)
  return lines.map(({ at, values }) => {
    if (values.length !== names.length) {
      throw fault(file, at, `has ${values.length} values, the header has ${names.length}`)
    }
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
  })
}

/** One alternative a field: quoted, or plain; then what ends it. */
const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|$)/gy

function splitLines(file: string, text: string): Line[] {
  const lines: Line[] = []
  let at = 1
  let line: Line = { at, values: [] }
  for (field.lastIndex = 0; field.lastIndex < text.length || line.values.length > 0; ) {
    const from = field.lastIndex
    const match = field.exec(text)
    if (match === null) {
      throw fault(
        file,
        at,
        text[from] === '"' ? 'a quote is not closed, or text follows it' : 'has a stray quote or CR',
      )
    }
    const [whole, quoted, plain, end] = match
    line.values.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    at += whole.split('\n').length - 1
    if (end === ',') continue
    lines.push(line)
    line = { at, values: [] }
  }
  return lines
}

function fault(file: string, line: number, text: string): Fault {
  return new Fault('knowledge.invalid', `${file}:${line}: ${text}`)
}
