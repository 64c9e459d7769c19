import { expect, test } from 'vitest'
import { caseSets } from './classify.cases.ts'
import { classify, noneOf } from './classify.ts'

function candidatesOf(labels: { name: string; means: string; examples: string[] }[]) {
  return labels.map(({ name, means, examples }) => ({ name, description: means, examples }))
}

function accuracy(kept: 'tuned' | 'held'): { right: number; of: number } {
  let right = 0
  let of = 0
  for (const set of caseSets.filter((one) => one.kept === kept)) {
    for (const [text, wanted] of set.cases) {
      of += 1
      const { index } = classify(text, candidatesOf(set.labels))
      if (set.labels[index]?.name === wanted) right += 1
    }
  }
  return { right, of }
}

test('most messages get the label that a person would pick, also in sets the weights were not set on', () => {
  const tuned = accuracy('tuned')
  const held = accuracy('held')
  console.log(`labels picked rightly: ${tuned.right} of ${tuned.of} tuned, ${held.right} of ${held.of} held out`)
  expect(tuned.of + held.of).toBeGreaterThanOrEqual(90)
  expect(tuned.right / tuned.of).toBeGreaterThanOrEqual(0.93)
  expect(held.right / held.of).toBeGreaterThanOrEqual(0.85)
})

test('the order of the labels does not decide', () => {
  for (const set of caseSets) {
    const turned = [...set.labels].reverse()
    for (const [text] of set.cases) {
      const one = set.labels[classify(text, candidatesOf(set.labels)).index]
      const other = turned[classify(text, candidatesOf(turned)).index]
      expect(other?.name).toBe(one?.name)
    }
  }
})

test('every label example is picked as its own label', () => {
  for (const set of caseSets) {
    for (const label of set.labels) {
      for (const example of label.examples) {
        expect([example, set.labels[classify(example, candidatesOf(set.labels)).index]?.name]).toEqual([
          example,
          label.name,
        ])
      }
    }
  }
})

test('the candidate for "none of these" is known by its description, or by its name', () => {
  const candidates = (...pairs: [string, string][]) =>
    pairs.map(([name, description]) => ({ name, description, examples: [] }))
  expect(noneOf(candidates(['a', 'apples'], ['z', 'none of the above']))).toBe(1)
  expect(noneOf(candidates(['other', ''], ['a', 'apples']))).toBe(0)
  expect(noneOf(candidates(['a', 'apples'], ['b', 'pears']))).toBe(-1)
})

test('without such a candidate the likest one is picked, and one candidate is always it', () => {
  expect(classify('xyzzy', [{ name: 'a', description: 'apples', examples: [] }]).index).toBe(0)
  expect(classify('', candidatesOf(caseSets[0]?.labels ?? [])).index).toBe(4)
})
