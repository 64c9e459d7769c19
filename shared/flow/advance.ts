import { Fault } from '../errors/fault.ts'
import { type Agents, resume, type Step } from './agent.ts'
import type { EffectResult, Outcome } from './effects.ts'
import type { FlowState, Input, Scope } from './state.ts'
import { startFlow } from './state.ts'
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
import { agentOf, go, type Move, refuseResult, stepOf, type Turn } from './turn.ts'

const mostSteps = 100

/**
 * Takes a conversation from one state to the next: through every step that needs nothing from outside, up to the next
 * effect, question, hand-off or end. Pure: the same state, input and scope give the same outcome, and `continue` gives
 * again the effect that is out. The state handed in is not changed; after a hand-off the state is the next agent's.
 *
 * Throws Fault `flow.loop` (more than 100 steps), `flow.step-unknown` (the state names an agent or step that is not
 * there), `flow.expression-failed`, `tool.not-approved`.
 */
export function advance(agents: Agents, state: FlowState, input: Input, scope: Scope): Outcome {
  const turn: Turn = {
    agents,
    agent: agentOf(agents, state.agent),
    state: { ...state, slots: { ...state.slots }, variables: { ...state.variables } },
    scope,
    message: (input.kind === 'message' ? input.text : scope.message).trim(),
    said: [],
    approvals: [],
  }
  let move = begin(turn, input)
  for (let steps = 0; move.kind === 'go'; steps++) {
    if (steps === mostSteps) {
      throw new Fault('flow.loop', `${turn.agent.name} took ${mostSteps} steps and stands at ${turn.state.at}`)
    }
    move = move.to === resume ? askAgain(turn) : enter(turn, move.to)
  }
  const { said, approvals } = turn
  const next = move.kind === 'handoff' ? startFlow(agentOf(agents, move.agent)) : turn.state
  return { state: next, said, approvals, move }
}

function begin(turn: Turn, input: Input): Move {
  const { state } = turn
  const { at, waiting } = state
  if (input.kind === 'continue') return waiting === null ? go(at) : { kind: 'wait' }
  if (input.kind === 'result') return receive(turn, stepOf(turn.agent, at), input.result)
  if (waiting === null) return go(at)
  const step = stepOf(turn.agent, at)
  state.waiting = null
  if (waiting === 'message' && step.verb === 'ask') return go(step.next)
  if (waiting === 'approval' && step.verb === 'confirm') return answerConfirm(turn, at, step)
  throw new Fault('flow.step-unknown', `step ${at} of ${turn.agent.name} asks nothing any more`)
}

function enter(turn: Turn, name: string): Move {
  const step = stepOf(turn.agent, name)
  turn.state.at = name
  switch (step.verb) {
    case 'say':
      return say(turn, step)
    case 'ask':
      return ask(turn, name, step, false)
    case 'decide':
      return decide(turn, name, step)
    case 'extract':
      return extract(turn, name, step)
    case 'compose':
      return compose(turn, name, step)
    case 'call':
      return call(turn, name, step)
    case 'lookup':
      return lookup(turn, name, step)
    case 'search':
      return search(turn, name, step)
    case 'confirm':
      return confirm(turn, name, step)
    case 'set':
      return set(turn, step)
    case 'when':
      return when(turn, step)
    case 'handoff':
      return handoff(turn, step.agent)
    case 'end':
      return end(turn)
  }
}

function receive(turn: Turn, step: Step, result: EffectResult): Move {
  switch (step.verb) {
    case 'decide':
      return decided(turn, step, result)
    case 'extract':
      return extracted(turn, step, result)
    case 'compose':
      return composed(turn, step, result)
    case 'call':
      return called(turn, step, result)
    case 'lookup':
      return looked(turn, step, result)
    case 'search':
      return searched(turn, step, result)
    default:
      return refuseResult(turn, result.kind)
  }
}

/** Back to the question that the employee's message answered. */
function askAgain(turn: Turn): Move {
  const { asked } = turn.state
  if (asked === null) throw new Fault('flow.step-unknown', `${turn.agent.name} resumes before it asked anything`)
  const step = stepOf(turn.agent, asked)
  turn.state.at = asked
  if (step.verb === 'ask') return ask(turn, asked, step, true)
  if (step.verb === 'confirm') return confirmAgain(turn, asked, step)
  throw new Fault('flow.step-unknown', `step ${asked} of ${turn.agent.name} asks nothing any more`)
}
