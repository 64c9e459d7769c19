import type { Change } from './bundle.ts'

/** A bug that a law forbids, and the cases of which at least one has to find it. */
export interface PlantedBug {
  name: string
  changes: Change[]
  cases: RegExp
}

const once = 'shared/stage/once.ts'
const inbox = 'shared/store/inbox.ts'

/** Planted into the bundle only: the sources have no switch for them. */
export const plantedBugs: PlantedBug[] = [
  {
    name: 'no fence check',
    changes: [
      {
        file: once,
        from: 'if (!(await renew(sql, hold, leaseMs))) throw',
        to: 'if ((await renew(sql, hold, leaseMs)) === null) throw',
      },
      {
        file: inbox,
        from: `and event = \${hold.event} and fence = \${hold.fence}\n    returning 1`,
        to: `and event = \${hold.event}\n    returning 1`,
      },
    ],
    cases: /^conversation \/ agent: (after claim|after model call) \/ middle \/ hang$/,
  },
  {
    name: 'inbox marked before the work',
    changes: [{ file: once, from: 'const taken = await take(sql, {', to: 'const taken = await take(database, {' }],
    cases: /^conversation \/ normalize: before commit \/ first \/ kill$/,
  },
  {
    name: 'key derived from arguments',
    changes: [
      {
        file: 'functions/agent/use-tool.ts',
        from: 'approval: { id: entry.approval, argumentsHash, notAfter },',
        to: `approval: { id: argumentsHash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'), argumentsHash, notAfter },`,
      },
    ],
    cases: /^conversation \/ servicenow: before post \/ only \/ kill$/,
  },
  {
    name: 'reply not stored',
    changes: [
      { file: inbox, from: `reply = \${reply === null ? null : JSON.stringify(reply)}`, to: `reply = \${null}` },
    ],
    cases: /^conversation \/ route: after commit \/ first \/ kill$/,
  },
  {
    name: 'queue hand-over without the lock',
    changes: [
      {
        file: 'shared/store/sessions.ts',
        from: `from sessions where id = \${id} for update`,
        to: `from sessions where id = \${id}`,
      },
    ],
    cases: /^conversation \/ dispatch: after commit \/ last \/ lose$/,
  },
]
