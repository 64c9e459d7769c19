import type { SlotQuestion } from '../flow/index.ts'

export type { SlotQuestion }

/**
 * What the agent may ask a model, in three questions, and what it gets back. The model picks among labels, fills typed
 * slots or names sentences; it never writes text that an employee sees.
 */
export interface Usage {
  /** Tokens, as the server counted them. */
  inputTokens: number
  outputTokens: number
  /** True where the server sent no usage that can be, and both numbers are an estimate (4 characters a token). */
  estimated?: true
}

export interface Message {
  role: 'system' | 'user'
  content: string
}

export interface ModelAnswer<T> {
  /** Null: the model answered, but not in the form it was asked for. */
  value: T | null
  /** The model's own words, cut to 4,000 characters, without control characters. */
  raw: string
  /** SHA-256 (hex) of the messages. */
  promptHash: string
  messages: Message[]
  usage: Usage
  milliseconds: number
}

export interface Label {
  name: string
  means: string
  examples: string[]
}

export interface DecideQuestion {
  message: string
  asked: string | null
  labels: Label[]
}

export interface ExtractQuestion {
  message: string
  asked: string | null
  slots: SlotQuestion[]
}

export interface Sentence {
  number: number
  text: string
}

export interface ComposeQuestion {
  question: string
  sentences: Sentence[]
}

export type SlotValues = Record<string, string | number | null>

export interface Model {
  /** Which one of the labels fits the employee's message. */
  decide(question: DecideQuestion, signal: AbortSignal): Promise<ModelAnswer<string>>
  /** The values of the slots that stand in the employee's message; null for a slot that is not said. */
  extract(question: ExtractQuestion, signal: AbortSignal): Promise<ModelAnswer<SlotValues>>
  /** The numbers of the sentences that answer the question, in order; empty where none does. */
  compose(question: ComposeQuestion, signal: AbortSignal): Promise<ModelAnswer<number[]>>
}

/** One structured-output request: what is sent, before a model's name is on it. */
export interface Prompt {
  messages: Message[]
  /** Name of the schema on the wire: [a-z_]. */
  name: string
  schema: { [key: string]: unknown }
  /** Completion tokens the answer may take. */
  maxTokens: number
}
