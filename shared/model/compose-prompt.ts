import type { ComposeQuestion, Prompt, Sentence } from './model.ts'
import { cutMiddle, dataRule, oneLine, spotlight } from './spotlight.ts'

/** Characters of sentences a prompt carries (about 3,000 tokens); the ones after that are not offered. */
export const sentenceCharacters = 12_000
const questionLength = 1_000

/** The prompt of a compose: rule first, then the numbered sentences of the passages, the employee's question last. */
export function composePrompt(question: ComposeQuestion): Prompt {
  const lines = offered(question.sentences).map((sentence) => `${sentence.number}. ${sentence.text}`)
  const rule =
    'Name the numbers of the sentences in <text> that answer <question>, in order, as few as needed; [] if none does.'
  return {
    name: 'sentences',
    messages: [
      { role: 'system', content: `${rule} ${dataRule}` },
      {
        role: 'user',
        content: `<text>\n${lines.join('\n')}\n</text>\n${spotlight('question', cutMiddle(question.question, questionLength))}`,
      },
    ],
    schema: {
      type: 'object',
      properties: { sentences: { type: 'array', items: { type: 'integer' } } },
      required: ['sentences'],
      additionalProperties: false,
    },
    maxTokens: 64,
  }
}

/** The sentences that fit, each on one line so that none can pass for two. */
export function offered(sentences: Sentence[]): Sentence[] {
  const fitting: Sentence[] = []
  let left = sentenceCharacters
  for (const sentence of sentences) {
    const text = oneLine(sentence.text)
    left -= text.length + 4
    if (left < 0) break
    fitting.push({ number: sentence.number, text })
  }
  return fitting
}
