// What an agent is, and where a conversation with one stands.

// The engine: state and input in, state and what is needed next out.
export { advance } from './advance.ts'
// What an approval is for, as one text and one hash; whether words are a yes.
export { readAffirmation } from './affirmation.ts'
export type { Agent, Agents, Label, Slot, Step, Verb } from './agent.ts'
export { router } from './agent.ts'
export { canonicalJson, hashArguments } from './canonical-json.ts'
// Commands, which are read before any flow.
export { type Command, readCommand, type TokenUsage, tokenSummary } from './commands.ts'
// Agents from a folder: loaded, checked, drawn.
export { drawAgent } from './draw.ts'
export type {
  ApprovalChange,
  Effect,
  EffectResult,
  NumberedSentence,
  OfferedLabel,
  Outcome,
  Passage,
  SlotQuestion,
} from './effects.ts'
export { gatherAgents } from './gather-agents.ts'
export type { Json } from './json.ts'
export { type AgentFault, checkAgents, faultLine, loadAgents, toolsOf } from './load.ts'
export type { Choice, Offer } from './offer.ts'
export { type FlowState, type Input, type Scope, startFlow } from './state.ts'
