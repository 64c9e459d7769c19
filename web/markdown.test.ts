import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Block, readMarkdown, readSpans, type Span } from './markdown.ts'

const text = (words: string): Span => ({ kind: 'text', text: words })

test('paragraphs, lines, lists, headings and rules', () => {
  expect(readMarkdown('One\ntwo\n\nthree')).toEqual([
    { kind: 'paragraph', lines: [[text('One')], [text('two')]] },
    { kind: 'paragraph', lines: [[text('three')]] },
  ])
  expect(readMarkdown('# Title\n- a\n* b\n\n3. c\n4) d\n---')).toEqual([
    { kind: 'heading', text: [text('Title')] },
    { kind: 'list', ordered: false, start: 1, items: ['a', 'b'].map((item) => ({ text: [text(item)], lines: [] })) },
    { kind: 'list', ordered: true, start: 3, items: ['c', 'd'].map((item) => ({ text: [text(item)], lines: [] })) },
    { kind: 'rule' },
  ])
  expect(readMarkdown('- a\n  more')).toEqual([
    { kind: 'list', ordered: false, start: 1, items: [{ text: [text('a')], lines: [[text('more')]] }] },
  ])
})

test('a list of names and values is facts, with the bold line above as its title', () => {
  expect(readMarkdown('On offer:\n\n**1. Lenovo, €1,380**\n- Model: T14s\n- Cost: **€1,380**')).toEqual([
    { kind: 'paragraph', lines: [[text('On offer:')]] },
    {
      kind: 'facts',
      title: '1. Lenovo, €1,380',
      facts: [
        { name: 'Model', value: [text('T14s')] },
        { name: 'Cost', value: [{ kind: 'strong', text: '€1,380' }] },
      ],
    },
  ])
  // One alone, or one that is no pair, is a list.
  for (const list of [
    '- Model: T14s',
    '- Model: T14s\n- and more',
    '- Model:\n- Cost: 1',
    '- **Bold**: x\n- Cost: y',
  ]) {
    expect(readMarkdown(list)[0]?.kind).toBe('list')
  }
})

test('bold that is closed and references of digits are marked, all else is text', () => {
  expect(readSpans('It **is** so [1].')).toEqual([
    text('It '),
    { kind: 'strong', text: 'is' },
    text(' so '),
    { kind: 'reference', text: '[1]' },
    text('.'),
  ])
  for (const plain of [
    '**open',
    '** no **',
    '[x]',
    '[1234]',
    '<b>no</b>',
    '[a](javascript:alert(1))',
    '![](x)',
    '`x`',
  ]) {
    expect(readSpans(plain)).toEqual([text(plain)])
  }
})

const spansOf = (blocks: Block[]): Span[] =>
  blocks.flatMap((block) => {
    if (block.kind === 'paragraph') return block.lines.flat()
    if (block.kind === 'heading') return block.text
    if (block.kind === 'list') return block.items.flatMap(({ text, lines }) => [...text, ...lines.flat()])
    if (block.kind === 'facts') return block.facts.flatMap(({ value }) => value)
    return []
  })

test('whatever is written is read as text of the three kinds, and no word is invented', () => {
  const piece = fc.constantFrom(
    '**',
    '[1]',
    '- ',
    '1. ',
    '# ',
    '\n',
    '\r\n',
    ' ',
    'a: b',
    '<script>',
    '&lt;',
    'é',
    '---',
    '\u2028',
  )
  void fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
      const source = pieces.join('')
      for (const span of spansOf(readMarkdown(source))) {
        expect(['text', 'strong', 'reference']).toContain(span.kind)
        expect(source).toContain(span.text)
      }
    }),
  )
})

test('a long hostile line is read in no time', () => {
  const started = performance.now()
  readMarkdown('**a '.repeat(5_000))
  readMarkdown(`- ${'a:'.repeat(8_000)}\n- b: c`)
  expect(performance.now() - started).toBeLessThan(1_000)
})
