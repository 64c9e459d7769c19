import { expect, test } from 'vitest'
import { beginsLike, headBytes, mediaTypes, readMediaType } from './media-types.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const examples: Record<string, Buffer> = {
  pdf: Buffer.from('%PDF-1.7\n'),
  png: hex('89504e470d0a1a0a0000000d'),
  jpeg: hex('ffd8ffe000104a464946'),
  gif: Buffer.from('GIF89a.....'),
  webp: Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1'),
  wave: Buffer.from('RIFF\x10\0\0\0WAVEfmt ', 'latin1'),
  zip: hex('504b030414000600'),
  ole: hex('d0cf11e0a1b11ae1'),
  rtf: Buffer.from('{\\rtf1\\ansi'),
  text: Buffer.from('Grüße,\r\n\tworld'),
  program: hex('7f454c46020101'),
  windowsProgram: Buffer.from('MZ\x90\0\x03\0', 'latin1'),
}
const fits: Record<string, string> = {
  'application/pdf': 'pdf',
  'application/rtf': 'rtf',
  'application/msword': 'ole',
  'application/vnd.ms-excel': 'ole',
  'application/vnd.ms-powerpoint': 'ole',
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'text/plain': 'text',
  'text/csv': 'text',
  'text/markdown': 'text',
}

test('each type takes files that begin like it, and none that begin like another', () => {
  for (const type of mediaTypes) {
    const own = fits[type] ?? 'zip'
    for (const [name, head] of Object.entries(examples)) {
      expect([type, name, beginsLike(type, head)]).toEqual([type, name, name === own])
    }
    expect(beginsLike(type, Buffer.alloc(0))).toBe(type.startsWith('text/'))
  }
})

test('a letter that the end of the head cuts in two is no fault, one that is broken is', () => {
  const filler = 'a'.repeat(headBytes - 1)
  expect(beginsLike('text/plain', Buffer.from(`${filler}ü`).subarray(0, headBytes))).toBe(true)
  expect(beginsLike('text/plain', Buffer.from(`${filler}`.concat('\xfc'), 'latin1').subarray(0, 100))).toBe(true)
  expect(beginsLike('text/plain', Buffer.from('a\xfc', 'latin1'))).toBe(false)
  expect(beginsLike('text/plain', Buffer.from(`\xfc${filler}`, 'latin1'))).toBe(false)
})

test.each([
  ['text/plain', 'text/plain'],
  ['Text/Plain; charset=utf-8', 'text/plain'],
  ['text/html', null],
  ['image/svg+xml', null],
  ['application/zip', null],
  ['application/javascript', null],
  ['constructor', null],
  ['', null],
])('%j is read as %j', (header, type) => {
  expect(readMediaType(header)).toBe(type)
})
