import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import {
  type Claim,
  claimWrite,
  correctRefusal,
  type Filed,
  releaseWrite,
  type Settled,
  settleWrite,
  type Write,
} from './claim-write.ts'
import type { RestAnswer } from './rest.ts'

/** What a write is made of, in the order in which it happens. `O` is the order that is ready to be posted. */
export interface Filing<O> {
  /** Reads what the order needs; may find that an open request makes it needless. Changes nothing. */
  prepare(): Promise<{ kind: 'order'; order: O } | { kind: 'existing'; filed: Filed }>
  /** Posts the order: called at most once a claim, and by a second owner only where the first one's was never sent. */
  post(order: O): Promise<RestAnswer<Filed>>
  /**
   * Looks for what an earlier claim of this write posted, from `since` on. `undecided`: it was not found, but this
   * instance may not record correlation ids, or not look anything up by them.
   */
  find(since: Date): Promise<Finding>
}

type Finding = { kind: 'found'; filed: Filed } | { kind: 'absent' } | { kind: 'undecided' }

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
 * the claim posts, and only before the not-after. A repetition gives the first one's result. The claim is given back
 * only where no order can have reached ServiceNow. A write whose answer was lost, or was a 429, is looked up: what is
 * found ends it at any time, that nothing is found counts only once no POST can be under way, and what the look-up cannot
 * tell is left to a person.
 * @throws Fault `tool.in-progress`, `tool.unavailable`, `tool.timeout` (call again), `tool.outcome-unknown`,
 * `approval.expired`, `tool.refused` and the other refusals (nothing was filed), `tool.not-approved`
 */
export async function fileOnce<O>(write: Write, filing: Filing<O>, parts: FileOnceParts): Promise<Filed> {
  const claim = await claimWrite(parts.sql, write, parts.now())
  await faultPoint('servicenow: after claim')
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
    // An earlier owner knows that it sent nothing. Where ServiceNow can be asked, it must not say otherwise.
    const earlier = claim.fence > 1 ? await findEarlier(write, claim, filing, parts) : null
    if (earlier?.kind === 'found') return settle({ state: 'done', outcome: earlier.filed })
    if (earlier?.kind === 'undecided') return settle({ state: 'unknown' })
    prepared = await filing.prepare()
  } catch (error) {
    const fault = toFault(error)
    if (fault.class === 'terminal') return settle({ state: 'refused', outcome: { code: fault.code } })
    await release()
    throw fault
  }
  if (prepared.kind === 'existing') return settle({ state: 'done', outcome: prepared.filed })

  await faultPoint('servicenow: before post')
  // The last thing before the POST: this process may have slept since it claimed.
  if (parts.now() >= claim.notAfter) return settle({ state: 'refused', outcome: { code: 'approval.expired' } })
  const answer = await filing.post(prepared.order)
  await faultPoint('servicenow: after post')
  switch (answer.kind) {
    case 'answered':
      return settleFiled(write, claim.fence, answer.value, parts)
    case 'refused':
      parts.log.warn('ServiceNow refused an order', { tool: write.tool, key: write.key, detail: answer.detail })
      return settle({ state: 'refused', outcome: { code: 'tool.refused' } })
    case 'not-sent':
      await release()
      throw new Fault('tool.unavailable', `${write.tool}: ${answer.detail}`)
    case 'busy':
    case 'lost':
      parts.log.warn('It is not known what became of an order', {
        tool: write.tool,
        key: write.key,
        detail: answer.detail,
      })
      throw inProgress(write, claim.notAfter, parts)
  }
}

/** The look-up of an owner who comes after a release. One that fails for good decides nothing. */
async function findEarlier<O>(
  write: Write,
  claim: { firstClaimedAt: Date },
  filing: Filing<O>,
  parts: FileOnceParts,
): Promise<Finding> {
  try {
    return await filing.find(claim.firstClaimedAt)
  } catch (error) {
    const fault = toFault(error)
    if (fault.class !== 'terminal') throw fault
    logFailedLookUp(write, fault, parts)
    return { kind: 'undecided' }
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
  const finding = await filing.find(claim.firstClaimedAt).catch((error: unknown): Finding => {
    logFailedLookUp(write, toFault(error), parts)
    return { kind: 'undecided' }
  })
  if (finding.kind === 'found') return settle({ state: 'done', outcome: finding.filed })
  if (!final) throw inProgress(write, claim.notAfter, parts)
  if (finding.kind === 'absent') return settle({ state: 'refused', outcome: { code: 'tool.refused' } })
  return settle({ state: 'unknown' })
}

function logFailedLookUp(write: Write, fault: Fault, parts: FileOnceParts): void {
  parts.log.warn('A write could not be looked up', { tool: write.tool, key: write.key, error: fault })
}

/** Ends the owner's write with what ServiceNow answered, even where a look-up gave it up while this process slept. */
async function settleFiled(write: Write, fence: number, filed: Filed, parts: FileOnceParts): Promise<Filed> {
  const claim = await settleWrite(parts.sql, write.key, fence, { state: 'done', outcome: filed }, parts.now())
  if (claim.kind === 'settled' && claim.settled.state === 'refused') {
    // A person has to know: somebody may have been told that nothing was filed.
    const { tool, key } = write
    parts.log.error('A write was filed after it had been given up', { tool, key, number: filed.number })
    await correctRefusal(parts.sql, key, fence, filed, parts.now())
    return filed
  }
  return answerOf(write, claim)
}

/** Ends the write, and answers what it ended as: another caller may have ended it first. */
async function settleAs(write: Write, fence: number, settled: Settled, parts: FileOnceParts): Promise<Filed> {
  return answerOf(write, await settleWrite(parts.sql, write.key, fence, settled, parts.now()))
}

function answerOf(write: Write, claim: Claim): Filed {
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
