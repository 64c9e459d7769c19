import { Fault } from '../errors/fault.ts'
import { type Agents, resume, type Step } from './agent.ts'
import type { EffectResult, Outcome } from './effects.ts'
import type { FlowState, Input, Scope } from './state.ts'
import { startFlow } from './state.ts'
import { answerApprove, approve } from './steps/approve.ts'
import { ask } from './steps/ask.ts'
import { call, called } from './steps/call.ts'
import { compose, composed } from './steps/compose.ts'
import { answerConfirm, confirm, confirmAgain } from './steps/confirm.ts'
import { decide, decided } from './steps/decide.ts'
import { end } from './steps/end.ts'
import { extract, extracted } from './steps/extract.ts'
import { handoff } from './steps/handoff.ts'
import { looked, lookup } from './steps/lookup.ts'
import { say } from './steps/say.ts'
import { search, searched } from './steps/search.ts'
import { set } from './steps/set.ts'
import { when } from './steps/when.ts'
import { agentOf, go, type Move, refuseResult, stepOf, tell, type Walk } from './walk.ts'

const mostSteps = 100

const pressedLate = 'That button belongs to an earlier question, so it did nothing.'

/**
 * Takes a conversation from one state to the next: through every step that needs nothing from outside, up to the next
 * effect, question, hand-off or end. Pure: the same state, input and scope give the same outcome, and `continue` gives
 * again the effect that is out. The state handed in is not changed; after a hand-off the state is the next agent's.
 *
 * Throws Fault `flow.loop` (more than 100 steps), `flow.step-unknown` (the state names an agent or step that is not
 * there), `flow.expression-failed`, `tool.not-approved`.
 */
export function advance(agents: Agents, state: FlowState, input: Input, scope: Scope): Outcome {
  const walk: Walk = {
    agents,
    agent: agentOf(agents, state.agent),
    state: { ...state, slots: { ...state.slots }, variables: { ...state.variables } },
    scope,
    message: (input.kind === 'message' ? input.text : scope.message).trim(),
    said: [],
    approvals: [],
  }
  let move = begin(walk, input)
  for (let steps = 0; move.kind === 'go'; steps++) {
    if (steps === mostSteps) {
      throw new Fault('flow.loop', `${walk.agent.name} took ${mostSteps} steps and stands at ${walk.state.at}`)
    }
    move = move.to === resume ? askAgain(walk) : enter(walk, move.to)
  }
  const { said, approvals } = walk
  const next = move.kind === 'handoff' ? startFlow(agentOf(agents, move.agent)) : walk.state
  return { state: next, said, approvals, move }
}

function begin(walk: Walk, input: Input): Move {
  const { state } = walk
  const { at, waiting } = state
  if (input.kind === 'continue') return waiting === null ? go(at) : { kind: 'wait', offer: null }
  if (input.kind === 'result') return receive(walk, stepOf(walk.agent, at), input.result)
  const stale = walk.scope.button !== null && (waiting !== 'approval' || walk.scope.button !== state.approval)
  if (stale && waiting !== 'decision') tell(walk, pressedLate)
  if (waiting === null) return go(at)
  if (stale && waiting !== 'decision') return askAgain(walk)
  const step = stepOf(walk.agent, at)
  state.waiting = null
  if (waiting === 'decision' && step.verb === 'approve') return answerApprove(walk, at, step)
  if (waiting === 'message' && step.verb === 'ask') return go(step.next)
  if (waiting === 'approval' && step.verb === 'confirm') return answerConfirm(walk, at, step)
  throw new Fault('flow.step-unknown', `step ${at} of ${walk.agent.name} asks nothing any more`)
}

function enter(walk: Walk, name: string): Move {
  const step = stepOf(walk.agent, name)
  walk.state.at = name
  switch (step.verb) {
    case 'say':
      return say(walk, step)
    case 'ask':
      return ask(walk, name, step, false)
    case 'decide':
      return decide(walk, name, step)
    case 'extract':
      return extract(walk, name, step)
    case 'compose':
      return compose(walk, name, step)
    case 'call':
      return call(walk, name, step)
    case 'lookup':
      return lookup(walk, name, step)
    case 'search':
      return search(walk, name, step)
    case 'confirm':
      return confirm(walk, name, step)
    case 'approve':
      return approve(walk, name, step)
    case 'set':
      return set(walk, step)
    case 'when':
      return when(walk, step)
    case 'handoff':
      return handoff(walk, step.agent)
    case 'end':
      return end(walk)
  }
}

function receive(walk: Walk, step: Step, result: EffectResult): Move {
  switch (step.verb) {
    case 'decide':
      return decided(walk, step, result)
    case 'extract':
      return extracted(walk, step, result)
    case 'compose':
      return composed(walk, step, result)
    case 'call':
      return called(walk, step, result)
    case 'lookup':
      return looked(walk, step, result)
    case 'search':
      return searched(walk, step, result)
    default:
      return refuseResult(walk, result.kind)
  }
}

/** Back to the question that the employee's message answered. */
function askAgain(walk: Walk): Move {
  const { asked } = walk.state
  if (asked === null) throw new Fault('flow.step-unknown', `${walk.agent.name} resumes before it asked anything`)
  const step = stepOf(walk.agent, asked)
  walk.state.at = asked
  if (step.verb === 'ask') return ask(walk, asked, step, true)
  if (step.verb === 'confirm') return confirmAgain(walk, asked, step)
  throw new Fault('flow.step-unknown', `step ${asked} of ${walk.agent.name} asks nothing any more`)
}
