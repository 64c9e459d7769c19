import { expect, test } from 'vitest'
import { cutSentences } from './sentences.ts'

test('prose is cut at its sentences, across line breaks', () => {
  expect(cutSentences('Laptops are\nreplaced after 36 months. Ask IT! Is it yours?\n\nA new paragraph')).toEqual([
    'Laptops are replaced after 36 months.',
    'Ask IT!',
    'Is it yours?',
    'A new paragraph',
  ])
})

test('an abbreviation, a number and an address end nothing', () => {
  expect(
    cutSentences('Devices, e.g. Phones, are covered. Version 2.5 of mail.example.com holds. See No. 5 too.'),
  ).toEqual(['Devices, e.g. Phones, are covered.', 'Version 2.5 of mail.example.com holds.', 'See No. 5 too.'])
})

test('list items and table rows stand alone; headings, rules and borders are left out', () => {
  const markdown = [
    '## Steps',
    '1. Back it up.',
    '2. Hand it in,',
    '   with its charger.',
    '- Done',
    '---',
    '| Region | Months |',
    '|---|:-:|',
    '| EMEA | 36 |',
  ].join('\r\n')
  expect(cutSentences(markdown)).toEqual([
    'Back it up.',
    'Hand it in, with its charger.',
    'Done',
    'Region | Months',
    'EMEA | 36',
  ])
  expect(cutSentences('')).toEqual([])
})
