import { createKeeper } from '../../functions/keeper/keep.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Database } from '../../shared/store/connect.ts'
import { type Decision, decideApproval } from '../../shared/store/decisions.ts'
import { quiet } from '../pipeline.ts'
import { consumers, type Stage, tickAt } from './hostile-broker.ts'
import { isSettled } from './judge.ts'
import type { SmallWorld } from './small-world.ts'

/** An event on its way to one stage. */
interface Pending {
  stage: Stage
  event: Event
}

/** Two instances and everything that is on its way to them, moved by hand. An index counts round what there is. */
export interface Play {
  accept(person: string, text: string): Promise<void>
  /** Delivers one; `keep` leaves a copy on its way; `lose` loses what it answers and leaves it to be tried again. */
  deliver(index: number, instance: number, how?: 'keep' | 'lose'): Promise<void>
  /** The same event to both instances at the same moment. */
  deliverToBoth(index: number): Promise<void>
  /** Two events at the same moment, each to an instance of its own. */
  deliverTogether(one: number, other: number): Promise<void>
  /**
   * The newest message and an event that moves a turn on, where there are such, at the same moment: both held where they
   * need a session until neither gets any further.
   */
  meet(index: number, messageFirst: boolean): Promise<void>
  lose(index: number): void
  /** The broker gives one up, unasked: its stage could not be reached. False where there is none. */
  giveUp(index: number): Promise<boolean>
  /** An instance takes a step and stops in the middle of a call outside; the broker will try again. */
  hang(index: number, instance: number): Promise<void>
  /** The one that hangs longest goes on. */
  wake(): Promise<void>
  /** Every lease runs out. */
  expireLeases(): Promise<void>
  /** What nobody decided in time, as the tick finds it. */
  tick(instance: number): Promise<Asked[]>
  pass(milliseconds: number): void
  /** The boss decides something that was ever asked of them, in time or not, again or not. Null: it does not count. */
  decide(index: number, decision: 'granted' | 'declined'): Promise<Asked | null>
  /** The boss decides in the very last moment, and a tick whose clock is a little ahead finds that the time is over. */
  decideAsItExpires(index: number, decision: 'granted' | 'declined'): Promise<(Asked & { decision: Decision }) | null>
  /** Wakes, delivers and ticks until nothing is left to be done; what expired meanwhile. */
  settle(): Promise<Asked[]>
  /** Lets all that hangs come to its end, so that nothing of this play reaches the next. */
  abandon(): Promise<void>
}

/** A question to somebody else, by what it is about. */
interface Asked {
  person: string
  thing: string
}

const boss = 'boss@company.com'

export function createPlay(world: SmallWorld): Play {
  const { instances, gate } = world
  const pending: Pending[] = []
  const hung: Promise<void>[] = []
  const answers = new Map<string, string>()
  const now = () => instances[0].now()
  const instanceOf = (number: number) => instances[number % 2 === 0 ? 0 : 1]
  const publish = (event: Event) => {
    for (const stage of consumers[event.type] ?? []) pending.push({ stage, event })
  }
  const keepers = instances.map(({ parts }) =>
    createKeeper({ database: parts.database, now, publish: async (event) => publish(event) }),
  )
  const take = (index: number): Pending | undefined => pending.splice(index % Math.max(1, pending.length), 1)[0]

  const takeOf = (index: number, stage: Stage): Pending | undefined => {
    const fitting = pending.filter((each) => each.stage === stage)
    const found = fitting.at(index % Math.max(1, fitting.length))
    return found && pending.splice(pending.indexOf(found), 1)[0]
  }

  /** Law 1, by the letter: whoever answers an event, and however late, answers it as it was answered first. */
  const requireSameAnswer = (delivery: string, answer: string) => {
    const first = answers.get(delivery) ?? answer
    answers.set(delivery, first)
    if (first !== answer) throw new Error(`${delivery} was answered ${first}, and then ${answer}`)
  }

  const handOver = async ({ stage, event }: Pending, instance: number, answer: 'used' | 'lost' = 'used') => {
    try {
      const reply = await instanceOf(instance).handlers[stage](event, quiet)
      requireSameAnswer(`${stage} ${event.source} ${event.id}`, JSON.stringify(reply))
      if (answer === 'lost') pending.push({ stage, event })
      else if (reply) publish(reply)
    } catch (error) {
      const fault = toFault(error)
      // Nothing here is beyond trying again, and who asks for anything else than that has a fault of its own.
      if (fault.code === 'stage.failed' || fault.class !== 'retryable') throw error
      pending.push({ stage, event })
    }
  }

  const wake = async () => {
    const first = hung.shift()
    gate.release()
    await first
  }

  const expireLeases = async () => {
    await world.db.database`
      update inbox set lease_until = now() - interval '1 s' where state = 'leased' and consumer <> 'keeper'`
  }
  /** What was asked of the boss, the oldest first; `open`: what is not decided yet; `over`: what time is over for. */
  const askedOfBoss = async (which: 'any' | 'open' | 'over') => {
    const rows = await world.db.database<(Asked & { id: string; expires_at: Date })[]>`
      select a.id, p.email as person, a.arguments ->> 'thing' as thing, a.expires_at
      from approvals a join sessions s on s.id = a.session join people p on p.id = s.person
      where a.continuation is not null and (${which === 'any'} or a.state = 'open')
        and (${which !== 'over'} or a.expires_at <= ${now()})
      order by a.expires_at, a.id`
    return rows
  }
  const decideBy = async (sql: Database, id: string, decision: Decision, at: Date): Promise<boolean> => {
    const by = decision === 'expired' ? 'tick' : { email: boss, caller: boss }
    const decided = await sql.begin((transaction) => decideApproval(transaction, { id, decision, by, now: at }))
    if (decided?.event) publish(decided.event)
    // One that was decided before gives that decision's event again.
    return decided?.before === 'open' && decided.event !== null
  }
  const tick = async (instance: number) => {
    const over = await askedOfBoss('over')
    await keepers[instance % 2]?.(tickAt(now()), quiet)
    // What is over at the same moment may be told in either order.
    const told = await world.db.database<{ approval: string }[]>`
      select approval from requests where approval is not null order by accepted`
    const place = ({ id }: { id: string }) => told.findIndex(({ approval }) => approval === id)
    return over.toSorted((a, b) => place(a) - place(b))
  }
  const pass = (milliseconds: number) => {
    for (const instance of instances) instance.pass(milliseconds)
  }

  return {
    async accept(person, text) {
      publish((await instances[0].accept(person, text)).event)
    },
    async deliver(index, instance, how) {
      const taken = take(index)
      if (taken === undefined) return
      if (how === 'keep') pending.push(taken)
      await handOver(taken, instance, how === 'lose' ? 'lost' : 'used')
    },
    async deliverToBoth(index) {
      const taken = take(index)
      if (taken !== undefined) await Promise.all([handOver(taken, 0), handOver(taken, 1)])
    },
    async deliverTogether(one, other) {
      const both = [take(one), take(other)].filter((taken) => taken !== undefined)
      await Promise.all(both.map((taken, instance) => handOver(taken, instance)))
    },
    async meet(index, messageFirst) {
      const both = [takeOf(-1, 'normalize'), takeOf(index, 'route')].filter((taken) => taken !== undefined)
      if (!messageFirst) both.reverse()
      const working: Promise<void>[] = []
      await world.db.database.begin(async (sql) => {
        await sql`select from sessions for update`
        let busy = 0
        for (const [instance, taken] of both.entries()) {
          busy += 1
          const done = handOver(taken, instance).finally(() => {
            busy -= 1
          })
          working.push(done)
          await until(async () => (await waiting(world.db.database)) >= busy)
        }
      })
      await Promise.all(working)
    },
    lose: (index) => void take(index),
    async giveUp(index) {
      const taken = take(index)
      if (taken === undefined) return false
      const letter = { ...taken.event, knativeerrordest: `http://${taken.stage}.self-service-agent.svc` }
      await keepers[index % 2]?.({ ...letter, knativeerrorcode: 502 }, quiet)
      return true
    },
    async hang(index, instance) {
      const steps = pending.filter(({ stage }) => stage === 'agent')
      const step = steps[index % Math.max(1, steps.length)]
      if (step === undefined) return
      // Whoever hangs answers a broker that has long stopped listening: the event stays on its way.
      const stopped = gate.holdNext()
      const working = handOver(step, instance)
      const came = await Promise.race([stopped.then(() => true), working.then(() => false)])
      gate.cancel()
      if (came) hung.push(working)
    },
    wake,
    expireLeases,
    tick,
    pass,
    async decide(index, decision) {
      const asked = await askedOfBoss('any')
      const one = asked[index % Math.max(1, asked.length)]
      return one && (await decideBy(world.db.database, one.id, decision, now())) ? one : null
    },
    async decideAsItExpires(index, decision) {
      const asked = await askedOfBoss('open')
      const one = asked[index % Math.max(1, asked.length)]
      if (one === undefined) return null
      const [mine, theirs] = instances.map(({ parts }) => parts.database)
      if (mine === undefined || theirs === undefined) return null
      pass(Math.max(0, one.expires_at.getTime() - now().getTime()))
      const counted = await Promise.all([
        decideBy(mine, one.id, decision, new Date(one.expires_at.getTime() - 1)),
        decideBy(theirs, one.id, 'expired', one.expires_at),
      ])
      if (counted[0] === counted[1]) throw new Error(`decided and expired: ${counted}`)
      return { ...one, decision: counted[0] ? decision : 'expired' }
    },
    async settle() {
      const expired: Asked[] = []
      let settled = false
      for (let round = 0; round < 40; round += 1) {
        while (hung.length > 0) await wake()
        await expireLeases()
        for (let left = 5_000; pending.length > 0; left -= 1) {
          if (left === 0) throw new Error('events without end')
          const taken = take(0)
          if (taken !== undefined) await handOver(taken, left)
        }
        // One tick more when all is done: it may find what nobody has heard of yet.
        const settledBefore = settled
        settled = await isSettled(world.db.database)
        if (settled && settledBefore) return expired
        pass(2 * 60_000)
        expired.push(...(await tick(round)))
      }
      throw new Error('not settled after 40 ticks')
    },
    async abandon() {
      gate.open()
      await Promise.allSettled(hung)
    },
  }
}

/** Transactions that wait for a lock in this database. */
async function waiting(database: Database): Promise<number> {
  const [row] = await database<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  return row?.count ?? 0
}

async function until(met: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await met()); tries += 1) {
    if (tries > 2_000) throw new Error('neither done nor waiting')
  }
}
