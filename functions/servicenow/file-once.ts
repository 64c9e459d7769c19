import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import {
  type Claim,
  claimWrite,
  type Filed,
  releaseWrite,
  type Settled,
  settleWrite,
  type Write,
} from './claim-write.ts'
import { retryIn } from './records.ts'
import type { RestAnswer } from './rest.ts'

/** What a write is made of, in the order in which it happens. `O` is the order that is ready to be posted. */
export interface Filing<O> {
  /** Reads what the order needs; may find that an open request makes it needless. Changes nothing. */
  prepare(): Promise<{ kind: 'order'; order: O } | { kind: 'existing'; filed: Filed }>
  /** Posts the order: called at most once a claim. */
  post(order: O): Promise<RestAnswer<Filed>>
  /**
   * Looks for what an earlier claim of this write posted, from `since` on. `undecided`: it was not found, but this
   * instance may not record correlation ids.
   */
  find(since: Date): Promise<{ kind: 'found'; filed: Filed } | { kind: 'absent' } | { kind: 'undecided' }>
}

export interface FileOnceParts {
  sql: Database
  now: () => Date
  log: Log
  /** Milliseconds that a POST may take. */
  timeoutMs: number
}

/** Milliseconds by which clocks may differ and an aborted request may still be on its way. */
const allowanceMs = 5_000

/**
 * Files a write at most once for its key, whoever calls, however often, and whatever dies in between. Only the owner of
 * the claim posts, and only before the not-after. A repetition gives the first one's result. A write whose answer was
 * lost is looked up: what is found ends it at any time, that nothing is found counts only once no POST can be under way.
 * @throws Fault `tool.in-progress`, `tool.unavailable`, `tool.timeout` (call again), `tool.outcome-unknown`,
 * `approval.expired`, `tool.refused` and the other refusals (nothing was filed), `tool.not-approved`
 */
export async function fileOnce<O>(write: Write, filing: Filing<O>, parts: FileOnceParts): Promise<Filed> {
  const claim = await claimWrite(parts.sql, write, parts.now())
  switch (claim.kind) {
    case 'owned':
      return fileAsOwner(write, claim, filing, parts)
    case 'held':
      return lookUp(write, claim, filing, parts)
    case 'settled':
      return resultOf(claim.settled)
    case 'foreign':
      throw new Fault('tool.not-approved', `Key ${write.key} belongs to another write`)
  }
}

async function fileAsOwner<O>(
  write: Write,
  claim: Extract<Claim, { kind: 'owned' }>,
  filing: Filing<O>,
  parts: FileOnceParts,
): Promise<Filed> {
  const settle = (settled: Settled) => settleAs(write, claim.fence, settled, parts)
  const release = () => releaseWrite(parts.sql, write.key, claim.fence)

  let prepared: Awaited<ReturnType<typeof filing.prepare>>
  try {
    // An earlier owner was told that its order was not taken. A gateway may have said so of one that got through.
    const earlier = claim.fence > 1 ? await filing.find(claim.firstClaimedAt) : null
    if (earlier?.kind === 'found') return settle({ state: 'done', outcome: earlier.filed })
    prepared = await filing.prepare()
  } catch (error) {
    const fault = toFault(error)
    if (fault.class === 'terminal') return settle({ state: 'refused', outcome: { code: fault.code } })
    await release()
    throw fault
  }
  if (prepared.kind === 'existing') return settle({ state: 'done', outcome: prepared.filed })

  // The last thing before the POST: this process may have slept since it claimed.
  if (parts.now() >= claim.notAfter) return settle({ state: 'refused', outcome: { code: 'approval.expired' } })
  const answer = await filing.post(prepared.order)
  switch (answer.kind) {
    case 'answered':
      return settle({ state: 'done', outcome: answer.value })
    case 'refused':
      parts.log.warn('ServiceNow refused an order', { tool: write.tool, key: write.key, detail: answer.detail })
      return settle({ state: 'refused', outcome: { code: 'tool.refused' } })
    case 'not-taken':
      await release()
      throw new Fault('tool.unavailable', `${write.tool}: ${answer.detail}`, retryIn(answer.retryAfter))
    case 'lost':
      parts.log.warn('The answer to an order was lost', { tool: write.tool, key: write.key, detail: answer.detail })
      throw inProgress(write, claim.notAfter, parts)
  }
}

async function lookUp<O>(
  write: Write,
  claim: Extract<Claim, { kind: 'held' }>,
  filing: Filing<O>,
  parts: FileOnceParts,
): Promise<Filed> {
  const settle = (settled: Settled) => settleAs(write, claim.fence, settled, parts)
  // Taken before the look-up: what is asked before the end of all POSTs proves nothing when it answers after.
  const final = parts.now() >= endOfPosts(claim.notAfter, parts)
  const finding = await filing.find(claim.firstClaimedAt).catch((error: unknown) => {
    parts.log.warn('A write could not be looked up', { tool: write.tool, key: write.key, error: toFault(error) })
    return { kind: 'undecided' as const }
  })
  if (finding.kind === 'found') return settle({ state: 'done', outcome: finding.filed })
  if (!final) throw inProgress(write, claim.notAfter, parts)
  if (finding.kind === 'absent') return settle({ state: 'refused', outcome: { code: 'tool.refused' } })
  return settle({ state: 'unknown' })
}

/** Ends the write, and answers what it ended as: another caller may have ended it first. */
async function settleAs(write: Write, fence: number, settled: Settled, parts: FileOnceParts): Promise<Filed> {
  const claim = await settleWrite(parts.sql, write.key, fence, settled, parts.now())
  if (claim.kind === 'settled') return resultOf(claim.settled)
  if (claim.kind === 'held' && claim.state === 'unknown') {
    throw new Fault('tool.outcome-unknown', `${write.tool}: it is not known whether ${write.key} was filed`)
  }
  throw new Fault('tool.in-progress', `${write.tool}: another caller took ${write.key} over`)
}

function resultOf(settled: Extract<Settled, { outcome: unknown }>): Filed {
  if (settled.state === 'done') return settled.outcome
  throw new Fault(settled.outcome.code, 'Nothing was filed under this key')
}

function inProgress(write: Write, notAfter: Date, parts: FileOnceParts): Fault {
  const seconds = Math.ceil((endOfPosts(notAfter, parts).getTime() - parts.now().getTime()) / 1000)
  return new Fault('tool.in-progress', `${write.tool}: ${write.key} is under way`, {
    retryAfter: Math.min(Math.max(seconds, 1), 5),
  })
}

/** The moment from which no POST of this write can still take effect. */
function endOfPosts(notAfter: Date, parts: FileOnceParts): Date {
  return new Date(notAfter.getTime() + parts.timeoutMs + allowanceMs)
}
