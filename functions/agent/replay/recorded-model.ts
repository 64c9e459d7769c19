import { composePrompt, offered } from '../../../shared/model/compose-prompt.ts'
import { decidePrompt } from '../../../shared/model/decide-prompt.ts'
import { extractPrompt } from '../../../shared/model/extract-prompt.ts'
import type { Model, ModelAnswer, Prompt } from '../../../shared/model/model.ts'
import { hashMessages } from '../../../shared/model/open-model.ts'
import { readComposition, readDecision, readExtraction } from '../../../shared/model/read-answer.ts'

/** What a model said, as the journal keeps it; `value` where the words alone do not tell what was read of them. */
export interface RecordedAnswer {
  raw: string
  value?: unknown
}

/**
 * A model that gives one recorded answer to whatever it is asked. The prompt is made, and the answer read and checked,
 * by the code that does so for a live model.
 */
export function recordedModel(recorded: RecordedAnswer): Model {
  const answer = <T>(prompt: Prompt, read: (raw: string) => T | null): ModelAnswer<T> => ({
    // What was read then passed the same checks then; the flow holds it against the message once more.
    value: recorded.value === undefined ? read(recorded.raw) : (recorded.value as T | null),
    raw: recorded.raw,
    promptHash: hashMessages(prompt.messages),
    messages: prompt.messages,
    usage: { inputTokens: 0, outputTokens: 0 },
    milliseconds: 0,
  })
  return {
    decide: async (question) =>
      answer(decidePrompt(question), (raw) =>
        readDecision(
          raw,
          question.labels.map((label) => label.name),
        ),
      ),
    extract: async (question) => answer(extractPrompt(question), (raw) => readExtraction(raw, question.slots)),
    compose: async (question) =>
      answer(composePrompt(question), (raw) => readComposition(raw, offered(question.sentences))),
  }
}
