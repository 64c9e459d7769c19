import { expect, test } from 'vitest'
import { casesOf, fewest, idOf } from './cases.ts'

test('what a busy machine repeated in one of two undisturbed runs is no arrival that a case counts on', () => {
  const calm = new Map([
    ['agent: before reply', 3],
    ['route: before reply', 1],
  ])
  const busy = new Map([
    ['agent: before reply', 4],
    ['route: before reply', 1],
    ['agent: after claim', 1],
  ])
  for (const runs of [
    [calm, busy],
    [busy, calm],
  ]) {
    const cases = casesOf('conversation', fewest(runs))
    expect(cases.filter(({ fault }) => fault === 'kill').map((one) => [idOf(one), one.occurrence])).toEqual([
      ['conversation / agent: before reply / first / kill', 1],
      ['conversation / agent: before reply / middle / kill', 2],
      ['conversation / agent: before reply / last / kill', 3],
      ['conversation / route: before reply / only / kill', 1],
    ])
  }
})
