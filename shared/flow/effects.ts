import type { Json } from './json.ts'
import type { Offer } from './offer.ts'
import type { FlowState } from './state.ts'

/** What a step needs from the world before the flow can go on. Exactly one is out at a time. */
export type Effect =
  | { kind: 'decide'; step: string; message: string; asked: string | null; labels: OfferedLabel[] }
  | { kind: 'extract'; step: string; message: string; asked: string | null; slots: SlotQuestion[] }
  | { kind: 'compose'; step: string; question: string; sentences: NumberedSentence[] }
  | {
      kind: 'call'
      step: string
      tool: string
      arguments: Record<string, Json>
      approval: string | null
      timeoutMs: number
      retries: number
    }
  | { kind: 'lookup'; step: string; table: string; where: Record<string, Json> }
  | { kind: 'search'; step: string; query: string; limit: number }

export interface OfferedLabel {
  name: string
  means: string
  examples: string[]
}

export interface NumberedSentence {
  number: number
  text: string
}

export interface SlotQuestion {
  name: string
  type: 'text' | 'integer' | 'choice'
  description: string
  pattern?: string
  minimum?: number
  maximum?: number
  values?: string[]
}

export type EffectResult =
  /** null, or no label that was offered: the `unsure` branch. */
  | { kind: 'decided'; label: string | null }
  | { kind: 'extracted'; values: Record<string, string | number | null> | null }
  /** Numbers of the sentences that answer; empty or null: unanswered. */
  | { kind: 'composed'; sentences: number[] | null }
  | { kind: 'called'; outcome: { ok: true; value: Json } | { ok: false; code: string; message: string } }
  | { kind: 'rows'; rows: Record<string, Json>[] }
  | { kind: 'passages'; passages: Passage[] }

/** A piece of a document: the document's title and name, the heading it stands under, its text. */
export interface Passage {
  title: string
  heading: string
  name: string
  content: string
}

/** What has to become of an approval, in the transaction that stores the state. */
export type ApprovalChange =
  | {
      kind: 'open'
      id: string
      step: string
      tool: string
      arguments: Record<string, Json>
      /** SHA-256 (hex) of the canonical JSON of `arguments`. */
      argumentsHash: string
      /** E-mail address of the one who may say yes. */
      person: string
      expiresAt: Date
      /** What that person reads. */
      question: string
      /** Asked of somebody else: where the flow goes on once they decided; null: the employee's own yes. */
      continuation: FlowState | null
    }
  /** `use`: the employee's yes was what somebody else's was asked for with. */
  | { kind: 'grant' | 'decline' | 'expire' | 'use'; id: string }

export interface Outcome {
  state: FlowState
  /** Texts for the employee, in order. */
  said: string[]
  approvals: ApprovalChange[]
  move:
    | { kind: 'effect'; effect: Effect }
    | { kind: 'handoff'; agent: string }
    | { kind: 'wait'; offer: Offer | null }
    | { kind: 'end' }
}
