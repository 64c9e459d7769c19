import { expect, test } from 'vitest'
import { attachmentDisposition, cleanFileName, readFileName } from './file-name.ts'

test.each([
  ['inline', null],
  ['attachment; filename=plain.txt', 'plain.txt'],
  ['attachment; filename="quoted name.txt"', 'quoted name.txt'],
  ['attachment; filename="a \\"b\\".txt"', 'a b.txt'],
  ['attachment; filename="worse.txt"; filename*=UTF-8\'\'%e2%82%ac%20rates.txt', '€ rates.txt'],
  ["attachment; filename*=UTF-8''%zz; filename=plain.txt", 'plain.txt'],
  ['form-data; name="x"; filename="\u00e2\u0082\u00ac.txt"', '€.txt'],
  ['attachment; filename="gr\u00fcn.txt"', 'grün.txt'],
  ['attachment; filename=""', 'file'],
])('%j names %j', (disposition, name) => {
  expect(readFileName(disposition)).toBe(name)
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\me\\report.docx', 'report.docx'],
  ['.htaccess', 'htaccess'],
  ['...', 'file'],
  ['a\0b\r\nc.txt', 'abc.txt'],
  ['invoice\u202efdp.exe', 'invoicefdp.exe'],
  ['a\u200bb.txt', 'ab.txt'],
  ['<script>.txt', 'script.txt'],
  ['  spaced \u00a0 out .txt', 'spaced out .txt'],
  ['e\u0301.txt', '\u00e9.txt'],
  ['lone \ud800.txt', 'lone \ufffd.txt'],
  ['', 'file'],
])('%j is kept as %j', (name, kept) => {
  expect(cleanFileName(name)).toBe(kept)
})

test('a long name is cut between two signs, and keeps its extension', () => {
  const kept = cleanFileName(`${'👩‍👩‍👧‍👦é'.repeat(50)}.pdf`)
  expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(200)
  expect(kept).toMatch(/[👦é]\.pdf$/u)
  expect(cleanFileName('x'.repeat(500))).toBe('x'.repeat(200))
})

test('what was read is what is offered, and nothing ends the header early', () => {
  for (const name of ['plain.txt', '€ rates (1).txt', "it's.txt", '100%.txt', 'a;b=c.txt', 'ü"\\.txt']) {
    const header = attachmentDisposition(name)
    expect(header).toMatch(/^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[!#$&+.^_`|~%\w-]+$/)
    expect(readFileName(header)).toBe(cleanFileName(name))
  }
})
