import type { DecideQuestion, Label, Prompt } from './model.ts'
import { cutMiddle, cutStart, dataRule, oneLine, spotlight } from './spotlight.ts'

/** Characters of examples a prompt carries over all its labels (about 250 tokens). */
export const exampleCharacters = 1_000
const exampleLength = 80
const meaningLength = 160
const messageLength = 1_500
const askedLength = 280

/**
 * The prompt of a decide: rule and labels first (the same bytes for every turn at a step), what was asked and the
 * employee's message last. Labels keep their order; the same question gives the same bytes.
 */
export function decidePrompt(question: DecideQuestion): Prompt {
  const names = question.labels.map((label) => label.name)
  const asked = question.asked === null ? '' : cutStart(question.asked, askedLength)
  return {
    name: 'decision',
    messages: [
      { role: 'system', content: `Choose the label that fits <message>. ${dataRule}\n${labelLines(question.labels)}` },
      {
        role: 'user',
        content: [
          ...(asked === '' ? [] : [spotlight('asked', asked)]),
          spotlight('message', cutMiddle(question.message, messageLength)),
        ].join('\n'),
      },
    ],
    schema: {
      type: 'object',
      properties: { label: { type: 'string', enum: names } },
      required: ['label'],
      additionalProperties: false,
    },
    // {"label":"…"} is 6 tokens around a name of at most a token for each two characters; the rest is room for white space.
    maxTokens: 24 + Math.ceil(Math.max(0, ...names.map((name) => name.length)) / 2),
  }
}

function labelLines(labels: Label[]): string {
  const examples = sharedExamples(labels)
  return labels
    .map((label, index) => {
      const means = oneLine(label.means).slice(0, meaningLength)
      const chosen = examples[index] ?? []
      return `- ${label.name}: ${means}${chosen.length === 0 ? '' : `. e.g. ${chosen.map((one) => `"${one}"`).join('; ')}`}`
    })
    .join('\n')
}

/** Every label's first example, then every second one, and so on until the characters are used up. */
function sharedExamples(labels: Label[]): string[][] {
  const chosen: string[][] = labels.map(() => [])
  let left = exampleCharacters
  const rounds = Math.max(0, ...labels.map((label) => label.examples.length))
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, label] of labels.entries()) {
      const example = label.examples[round]
      if (example === undefined) continue
      const text = oneLine(example).replaceAll('"', "'").slice(0, exampleLength)
      if (round > 0 && text.length > left) return chosen
      left -= text.length
      chosen[index]?.push(text)
    }
  }
  return chosen
}
