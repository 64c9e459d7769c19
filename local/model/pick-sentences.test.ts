import { expect, test } from 'vitest'
import { pickSentences, sentencesOf } from './pick-sentences.ts'

const handbook = [
  'Members may borrow up to ten books at a time.',
  'A book is due back after 28 days.',
  'It can be renewed twice unless somebody else has reserved it.',
  'Late books cost 20 cents a day.',
  'Lost books are replaced at the price of a new copy.',
  'The reading room opens at nine and closes at eight.',
  'Dogs must wait outside, apart from guide dogs.',
  'Membership is free for children and costs 15 euros a year for adults.',
  'Wireless internet is available in every room; the password hangs at the desk.',
  'Interlibrary loans are ordered by the head librarian because other libraries ask for a signature.',
]

test.each([
  ['how many books can I borrow?', 0],
  ['when do I have to bring a book back, when is it due', 1],
  ['can I renew a book', 2],
  ['what does it cost when a book is late?', 3],
  ['I lost a book, what now', 4],
  ['when does the reading room close', 5],
  ['may my dog come in', 6],
  ['how much is membership for an adult', 7],
  ['is there wireless internet', 8],
  ['why does the head librarian order interlibrary loans?', 9],
])('"%s" is answered by sentence %i', (question, index) => {
  const picked = pickSentences(question, handbook)
  expect(picked).toContain(index)
  expect(picked.length).toBeLessThanOrEqual(3)
  expect(picked).toEqual([...picked].sort((a, b) => a - b))
})

test.each(['who won the world cup', 'do you sell umbrellas', 'what is it?', ''])(
  '"%s" is answered by none',
  (question) => {
    expect(pickSentences(question, handbook)).toEqual([])
  },
)

test('a text is cut at sentence ends and line breaks', () => {
  expect(sentencesOf('One. Two is 3.5 m long! Three?\nFour')).toEqual(['One.', 'Two is 3.5 m long!', 'Three?', 'Four'])
})
