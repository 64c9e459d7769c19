import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutDocument } from './cut-document.ts'

const cut = (text: string) => cutDocument('t.md', 'file-name', text)

test('a document is cut at its headings, deeper ones under theirs', () => {
  const text = [
    'Before all.',
    '# Passwords #',
    'First words.',
    '## Reset\nBy phone or e-mail.\n### By phone\nCall.\n\nWait.',
    '## Empty',
    '#### Deep\nDeep words.',
    '# Second part\nMore.',
    '## A #1 case\nC# is no heading, #tag neither.',
  ].join('\n')
  expect(cut(text)).toEqual({
    title: 'Passwords',
    sections: [
      { heading: '', content: 'Before all.' },
      { heading: '', content: 'First words.' },
      { heading: 'Reset', content: 'By phone or e-mail.' },
      { heading: 'Reset › By phone', content: 'Call.\n\nWait.' },
      { heading: 'Empty › Deep', content: 'Deep words.' },
      { heading: 'Second part', content: 'More.' },
      { heading: 'Second part › A #1 case', content: 'C# is no heading, #tag neither.' },
    ],
  })
})

test('a document without a first heading is named by its file', () => {
  expect(cut('Words.\r\n\r\n## Part\r\nMore.')).toEqual({
    title: 'file-name',
    sections: [
      { heading: '', content: 'Words.' },
      { heading: 'Part', content: 'More.' },
    ],
  })
})

test('a # in a code block is no heading, and the block is one paragraph', () => {
  const block = '```sh\n# comment\n\nrun\n```'
  expect(cut(`# T\n## Code\n${block}\n## Next\nx`).sections).toEqual([
    { heading: 'Code', content: block },
    { heading: 'Next', content: 'x' },
  ])
  const long = `${'a'.repeat(1000)}\n\n\`\`\`\n${'b'.repeat(300)}\n\n${'c'.repeat(300)}\n\`\`\``
  expect(cut(`# T\n${long}`).sections.map(({ content }) => content.slice(0, 4))).toEqual(['aaaa', '```\n'])
})

test('a long section is split at paragraphs, a long paragraph at sentences, and a long sentence at words', () => {
  const paragraph = (letter: string, length: number) => letter.repeat(length)
  const pieces = (content: string) => cut(`# T\n## H\n${content}`).sections
  expect(pieces([paragraph('a', 700), paragraph('b', 400), paragraph('c', 600)].join('\n\n'))).toEqual([
    { heading: 'H', content: `${paragraph('a', 700)}\n\n${paragraph('b', 400)}` },
    { heading: 'H', content: paragraph('c', 600) },
  ])
  const sentence = `${'word '.repeat(99)}end`
  expect(pieces(`${[1, 2, 3].map(() => sentence).join('. ')}.`).map(({ content }) => content)).toEqual([
    `${sentence}. ${sentence}.`,
    `${sentence}.`,
  ])
  expect(pieces('word '.repeat(400)).map(({ content }) => content.length)).toEqual([1199, 799])
  expect(pieces('x'.repeat(2500)).map(({ content }) => content.length)).toEqual([1200, 1200, 100])
})

test('no text is lost, and no piece is too long', () => {
  const line = fc.oneof(
    fc.constantFrom('', '', '## Heading', '```', '- item', '# Top'),
    fc.string({ unit: fc.constantFrom('a', 'bc. ', ' ', 'd'), maxLength: 1500 }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const { sections } = cut(['Start.', ...lines].join('\n'))
      const squeeze = (text: string) => text.replaceAll(/\s/g, '')
      const kept = squeeze(sections.map(({ content }) => content).join(''))
      const text = ['Start.', ...lines.filter((one) => !one.startsWith('#'))].join('\n')
      const fenced = lines.includes('```')
      if (!fenced) expect(kept).toBe(squeeze(text))
      expect(Math.max(...sections.map(({ content }) => content.length))).toBeLessThanOrEqual(1200)
    }),
  )
})

test('a document without text is refused', () => {
  expect(() => cut('# Title\n\n## Heading\n')).toThrow('t.md:1: has no text')
})
