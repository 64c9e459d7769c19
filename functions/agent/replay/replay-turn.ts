import { Fault } from '../../../shared/errors/fault.ts'
import type { Agents, ApprovalChange, FlowState } from '../../../shared/flow/index.ts'
import type { RecordedStep, RecordedTurn } from '../../../shared/store/recorded-turn.ts'
import { journalKind } from '../commit-step.ts'
import { hashState } from '../step-place.ts'
import { type Walked, walkFlow } from '../walk-flow.ts'
import { whatChanged } from './agent-versions.ts'
import { compareApprovals, unaskedApprovals } from './compare-approvals.ts'
import { compareResponse, repeatAnswer, repeatCommand, repeatFailure } from './compare-response.ts'
import { describeDifference } from './describe-difference.ts'
import { Departure, type Note, recordedOutside } from './recorded-outside.ts'

/** Something that came out otherwise than it was recorded. */
export interface Difference {
  /** Number of the step; null: the turn as a whole. */
  step: number | null
  sentence: string
  /** Where it differs, a line each. */
  detail: string[]
}

/** A step as it was run again; its call and records are the recorded ones. */
export interface ReplayedStep {
  recorded: RecordedStep
  /** Null where it could not be walked to its end. */
  walked: Walked | null
}

export interface Replay {
  recorded: RecordedTurn
  /**
   * `exact`: every step, text, approval and the answer came out as recorded, to the byte. `differs`: something did not.
   * `unable`: nothing can be said, and `sentence` says why.
   */
  verdict: 'exact' | 'differs' | 'unable'
  sentence: string
  steps: ReplayedStep[]
  differences: Difference[]
}

/**
 * Runs a finished turn again from its journal: the very engine on the recorded answers, records and moments, each
 * step's outcome held against what was recorded. Asks nothing of a model, a tool or a database.
 */
export async function replayTurn(recorded: RecordedTurn, agents: Agents): Promise<Replay> {
  const steps: ReplayedStep[] = []
  const differences: Difference[] = []
  const end = (verdict: Replay['verdict'], sentence: string): Replay => {
    return { recorded, verdict, sentence, steps, differences }
  }
  const unable = whyUnable(recorded)
  if (unable !== null) return end('unable', unable)

  const noteOf =
    (step: number | null): Note =>
    (sentence, was, is) => {
      const detail = describeDifference(was, is)
      if (detail.length > 0) differences.push({ step, sentence, detail })
    }
  const [first] = recorded.steps
  if (first?.kind === 'command') {
    steps.push({ recorded: first, walked: null })
    compareResponse(recorded, repeatCommand(recorded, first), noteOf(null))
  } else {
    await replaySteps(recorded, agents, steps, noteOf, (difference) => differences.push(difference))
    if (differences.length > 0) {
      const changed = whatChanged(recorded.steps.slice(0, steps.length), agents)
      if (changed !== null) {
        differences.length = 0
        return end('unable', changed)
      }
    }
    if (differences.length === 0) compareTurn(recorded, steps, noteOf(null))
  }
  if (differences.length > 0) return end('differs', `Not as recorded: ${differences[0]?.sentence}`)
  const changed = first?.kind !== 'command' && whatChanged(recorded.steps, agents) !== null
  return end('exact', changed ? `${asRecorded}, though an agent's file has changed since` : asRecorded)
}

const asRecorded = 'As recorded, to the byte'

/** Why nothing can be said about the turn; null where it can be run again. */
function whyUnable({ turn, response, steps }: RecordedTurn): string | null {
  if (response === null) return `Turn ${turn.id} has not finished`
  const early = steps.some(({ kind, stateHash }) => kind !== 'command' && stateHash === null)
  if (early || (steps.length === 0 && turn.step > 0)) {
    return `The journal of turn ${turn.id} holds no more what a replay takes, or does not hold it yet: it was written by a version before replay, or has been removed`
  }
  if (steps.length === 0 && turn.state === 'answered') return `Turn ${turn.id} was answered without a step`
  return null
}

/** Runs the steps one after the other, up to the first that differs: what follows from it would differ too. */
async function replaySteps(
  recorded: RecordedTurn,
  agents: Agents,
  steps: ReplayedStep[],
  noteOf: (step: number) => Note,
  add: (difference: Difference) => void,
): Promise<void> {
  let flow: FlowState | null = recorded.steps[0]?.flow ?? null
  const said: string[] = []
  for (const [index, step] of recorded.steps.entries()) {
    if (step.number !== index) {
      return add({ step: index, sentence: `The journal has no step ${index}`, detail: [] })
    }
    let differs = false
    const note: Note = (sentence, was, is) => {
      differs ||= describeDifference(was, is).length > 0
      noteOf(step.number)(sentence, was, is)
    }
    const replayed: ReplayedStep = { recorded: step, walked: null }
    steps.push(replayed)
    try {
      const outside = recordedOutside(step, recorded.approvals, note)
      const turn = { ...recorded.turn, agent: step.agent, step: step.number, flow, said: [...said] }
      replayed.walked = await walkFlow(turn, agents, outside)
      note('The journal holds records that the step does not look up', 0, outside.unread())
    } catch (error) {
      if (error instanceof Departure) return add({ step: step.number, sentence: error.message, detail: [] })
      if (!Fault.is(error)) throw error
      return add({ step: step.number, sentence: `It fails, which it did not: ${error.code}`, detail: [error.message] })
    }
    compareStep(recorded, index, said.length, replayed.walked, note)
    if (differs) return
    said.push(...replayed.walked.said)
    // As the stage that hands over leaves it: the next agent begins at its start.
    flow = replayed.walked.move.kind === 'handoff' ? null : replayed.walked.flow
  }
}

function compareStep(recorded: RecordedTurn, index: number, saidBefore: number, walked: Walked, note: Note): void {
  const step = recorded.steps[index]
  if (step === undefined) return
  note(
    'It makes another call than was recorded',
    [step.kind, step.name],
    [journalKind(walked.call), walked.call?.step ?? walked.flow.at],
  )
  if (walked.call === null) {
    note('The journal holds an answer that the step does not ask for', [step.request, step.answer], [null, null])
  }
  note('It says something else', recorded.turn.said.slice(saidBefore, saidBefore + walked.said.length), walked.said)
  compareApprovals(recorded, step, walked.approvals, note)
  note('It goes on otherwise', moveRecorded(recorded, index, walked), moveOf(walked))
  note(
    'The flow stands elsewhere after it, or has kept something else (SHA-256 of its state)',
    step.stateHash,
    hashState(walked.flow),
  )
}

/** How the step went on, by what followed it. Whether the turn's answer waits or ends the flow is seen in the answer. */
function moveRecorded({ turn, steps }: RecordedTurn, index: number, walked: Walked): string {
  const [step, next] = [steps[index], steps[index + 1]]
  if (next !== undefined) return next.agent === step?.agent ? 'on to the next step' : `hand-off to ${next.agent}`
  const answers = walked.move.kind === 'wait' || walked.move.kind === 'end'
  if (turn.state === 'answered') return answers ? moveOf(walked) : 'the answer'
  return answers ? 'on to a step that failed' : moveOf(walked)
}

export function moveOf({ move }: Walked): string {
  switch (move.kind) {
    case 'step':
      return 'on to the next step'
    case 'handoff':
      return `hand-off to ${move.agent}`
    case 'wait':
      return 'the answer, and waits'
    case 'end':
      return 'the answer, and the flow ends'
  }
}

/** What the steps make together, and the answer that the turn was closed with. */
function compareTurn(recorded: RecordedTurn, steps: ReplayedStep[], note: Note): void {
  const { turn } = recorded
  const walked = steps.flatMap((step) => step.walked ?? [])
  const last = walked.at(-1)
  const changes: ApprovalChange[] = walked.flatMap(({ approvals }) => approvals)
  note('The turn stands at another step', turn.step, steps.length)
  note(
    'The turn said something else',
    turn.said,
    walked.flatMap(({ said }) => said),
  )
  for (const approval of unaskedApprovals(recorded, changes)) {
    note(`No step asks for approval ${approval.id}`, approval.step, undefined)
  }
  note(
    'The turn cost something else',
    { input: turn.inputTokens, output: turn.outputTokens },
    { input: sum(recorded.steps, 'inputTokens'), output: sum(recorded.steps, 'outputTokens') },
  )
  // A hand-over clears the turn's flow, if it came to that.
  if (last !== undefined && !(last.move.kind === 'handoff' && turn.flow === null)) {
    note('The flow stands elsewhere', turn.flow, last.flow)
  }
  compareResponse(recorded, turn.state === 'failed' ? repeatFailure(recorded) : repeatAnswer(recorded, last), note)
}

function sum(steps: RecordedStep[], of: 'inputTokens' | 'outputTokens'): number {
  return steps.reduce((total, step) => total + step[of], 0)
}
