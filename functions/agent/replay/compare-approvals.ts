import type { ApprovalChange, Json } from '../../../shared/flow/index.ts'
import { handoffStep } from '../../../shared/store/handoffs.ts'
import type { RecordedApproval, RecordedStep, RecordedTurn } from '../../../shared/store/recorded-turn.ts'
import type { Note } from './recorded-outside.ts'

/** Holds what a step did to approvals against the rows; a later turn may have gone on from there. */
export function compareApprovals(
  recorded: RecordedTurn,
  step: RecordedStep,
  changes: ApprovalChange[],
  note: Note,
): void {
  for (const change of changes) {
    const row = recorded.approvals.find(({ id }) => id === change.id)
    if (row === undefined) note(`It changes approval ${change.id}, which is not stored`, undefined, change)
    else if (change.kind === 'open') compareOpened(recorded, step, row, change, note)
    else if (!hasHappened(row, change.kind, step.finishedAt)) {
      note(`Approval ${change.id} did not become what the step made of it`, row.state, change.kind)
    }
  }
  const used = approvalIn(step.request)
  if (used !== null) {
    const row = recorded.approvals.find(({ id }) => id === used)
    note(`Approval ${used} is used by the step, and not stored as used`, row?.state, 'used')
  }
}

/** The approval that a write was made under; null for any other call. */
function approvalIn(request: Json): string | null {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return null
  const { approval } = request
  return typeof approval === 'string' ? approval : null
}

function compareOpened(
  { turn }: RecordedTurn,
  step: RecordedStep,
  row: RecordedApproval,
  change: Extract<ApprovalChange, { kind: 'open' }>,
  note: Note,
): void {
  const asked = { step: change.step, tool: change.tool, arguments: change.arguments, hash: change.argumentsHash }
  note(
    `Approval ${change.id} is not what the step asked for`,
    {
      ...{ turn: row.turn, step: row.step, tool: row.tool, arguments: row.arguments, hash: row.argumentsHash },
      ...{ person: row.person, expires: row.expiresAt, created: row.createdAt },
    },
    { turn: turn.id, ...asked, person: change.person, expires: change.expiresAt, created: step.finishedAt },
  )
}

const becomes = { grant: 'granted', decline: 'declined', expire: 'expired', use: 'used' } as const

/** A yes may have been used or taken back since; a no and an expiry are final. */
function hasHappened(row: RecordedApproval, kind: keyof typeof becomes, at: Date): boolean {
  if (row.decidedAt === null) return false
  if (row.state === becomes[kind]) return row.decidedAt.getTime() === at.getTime()
  return kind === 'grant' && row.state !== 'open' && row.decidedAt.getTime() >= at.getTime()
}

/** The approvals that the turn is stored to have asked for, and that no step of it asks for when it is run again. */
export function unaskedApprovals(recorded: RecordedTurn, changes: ApprovalChange[]): RecordedApproval[] {
  const opened = new Set(changes.flatMap((change) => (change.kind === 'open' ? [change.id] : [])))
  return recorded.approvals.filter(
    ({ id, turn, step }) => turn === recorded.turn.id && step !== handoffStep && !opened.has(id),
  )
}
