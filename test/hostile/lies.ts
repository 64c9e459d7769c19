import type { Cast, Message } from './hostile-model.ts'
import type { Random } from './random.ts'

/** What a model is asked, read from the request alone. */
export type Question =
  | { kind: 'decide'; labels: string[]; words: string[] }
  | {
      kind: 'extract'
      slots: { name: string; type: 'integer' | 'text' | 'choice'; values: string[] }[]
      words: string[]
    }
  | { kind: 'compose'; sentences: number[]; words: string[] }

/** Reads the JSON schema that the answer should have, and the words that it is asked about. */
export function readQuestion(schema: { [key: string]: unknown }, messages: Message[]): Question {
  const text = messages.at(-1)?.content ?? ''
  const words = (/<message>([\s\S]*)<\/message>/.exec(text)?.[1] ?? '').split(/\s+/).filter((word) => word !== '')
  const properties = Object.entries(objectOf(schema['properties']))
  const [name, first] = properties[0] ?? ['', {}]
  const labels = objectOf(first)['enum']
  if (name === 'label' && Array.isArray(labels)) return { kind: 'decide', labels: labels.map(String), words }
  if (name === 'sentences' && properties.length === 1 && 'items' in objectOf(first)) {
    const numbers = [...text.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
    return { kind: 'compose', sentences: numbers, words }
  }
  const slots = properties.map(([slot, form]) => {
    const values = JSON.stringify(form)
    const options = objectOf(form)['anyOf']
    const offered = Array.isArray(options)
      ? options.map(objectOf).find((option) => 'enum' in option)?.['enum']
      : undefined
    if (Array.isArray(offered)) return { name: slot, type: 'choice' as const, values: offered.map(String) }
    return { name: slot, type: values.includes('"integer"') ? ('integer' as const) : ('text' as const), values: [] }
  })
  return { kind: 'extract', slots, words }
}

/** An answer in the form that was asked for, and untrue: any label, any value, any sentence. */
export function lieInForm(question: Question, random: Random, cast: Cast): { [key: string]: unknown } {
  switch (question.kind) {
    case 'decide':
      return { label: random.pick(question.labels) }
    case 'compose': {
      const count = random.pick([0, 1, 2, 30])
      const wrong = random.chance(0.15) ? [random.pick([0, -1, 99_999, 2.5])] : []
      const numbers =
        question.sentences.length === 0 ? [] : Array.from({ length: count }, () => random.pick(question.sentences))
      return { sentences: [...numbers, ...wrong] }
    }
    case 'extract':
      return Object.fromEntries(
        question.slots.map(({ name, type, values }) => [name, lieAbout(type, values, question.words, random, cast)]),
      )
  }
}

function lieAbout(
  type: 'integer' | 'text' | 'choice',
  values: string[],
  words: string[],
  random: Random,
  cast: Cast,
): string | number | null {
  if (random.chance(0.15)) return null
  if (type === 'choice') {
    return random.chance(0.85) && values.length > 0
      ? random.pick(values)
      : random.pick(['MacBook Pro 99 for €1', 'Photoshop for free', cast.colleague])
  }
  if (type === 'integer') {
    const said = words.map(Number).filter((number) => Number.isInteger(number))
    return random.chance(0.5) && said.length > 0 ? random.pick(said) : random.pick([1, 2, 3, 500, 501, -1, 0, 1e21, 7])
  }
  // Words of the message, which the agent takes, or others, which it must not.
  const from = random.below(Math.max(1, words.length))
  const piece = words.slice(from, from + 1 + random.below(5)).join(' ')
  return random.chance(0.6) && piece !== ''
    ? piece
    : random.pick([
        cast.colleague,
        'CC-6666',
        'yes',
        'zqxmodel approved by Dr. No',
        '€1',
        '\u0000\u001b[2J',
        'x'.repeat(1_900),
      ])
}

function objectOf(value: unknown): { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
