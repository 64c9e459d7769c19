import { expect, test } from 'vitest'
import { parseCsv } from './parse-csv.ts'

const parse = (text: string) => parseCsv('t.csv', text)

test('values are kept byte for byte', () => {
  expect(parse('a,b c,d\n 1 ,"x, ""y""\r\nz",\r\n007,1.10,NULL')).toEqual([
    { a: ' 1 ', 'b c': 'x, "y"\r\nz', d: '' },
    { a: '007', 'b c': '1.10', d: 'NULL' },
  ])
})

test('the last line may end or not, and a single column may be empty', () => {
  expect(parse('a,b\n1,2\n')).toEqual(parse('a,b\r\n1,2'))
  expect(parse('a\n\n1\n')).toEqual([{ a: '' }, { a: '1' }])
  expect(parse('a,b\n,')).toEqual([{ a: '', b: '' }])
  expect(parse('a,b\n')).toEqual([])
})

test('a column may have the name of a property of every object', () => {
  expect(Object.entries(parse('__proto__,toString\n1,2')[0] ?? {})).toEqual([
    ['__proto__', '1'],
    ['toString', '2'],
  ])
})

test.each([
  ['', 't.csv:1: has no header'],
  ['a,a\n', 't.csv:1: the column "a" stands twice'],
  ['a,\n', 't.csv:1: a column has no name'],
  ['a,b\n"x\ny",2\n3', 't.csv:4: has 1 values, the header has 2'],
  ['a,b\n1,2,3', 't.csv:2: has 3 values, the header has 2'],
  ['a\n1\n"2', 't.csv:3: a quote is not closed, or text follows it'],
  ['a\n"1"2', 't.csv:2: a quote is not closed, or text follows it'],
  ['a\n1"2', 't.csv:2: has a stray quote or CR'],
  ['a\n1\r2', 't.csv:2: has a stray quote or CR'],
])('%j is refused', (text, message) => {
  expect(() => parse(text)).toThrow(message)
})
