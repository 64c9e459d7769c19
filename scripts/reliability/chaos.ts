import * as z from 'zod/mini'
import { faults, faultTitles } from '../../test/chaos/cases.ts'
import { section } from './section.ts'
import { day, grouped, seconds, table } from './words.ts'

const milliseconds = z.nullable(z.number())
const figures = z.object({
  points: z.int(),
  cases: z.int(),
  duplicates: z.int(),
  losses: z.int(),
  stuck: z.int(),
  wrong: z.int(),
  resume_ms_p50: milliseconds,
  resume_ms_p99: milliseconds,
  hang_noticed_ms_p50: milliseconds,
  hang_noticed_ms_p99: milliseconds,
  hang_resume_ms_p50: milliseconds,
  hang_resume_ms_p99: milliseconds,
  in_doubt_resume_ms_p50: milliseconds,
  in_doubt_resume_ms_p99: milliseconds,
  tick_resume_ms_p50: milliseconds,
  tick_resume_ms_p99: milliseconds,
  model_changes: z.int(),
  messages: z.int(),
  seed: z.int(),
  part: z.nullable(z.string()),
  machine: z.string(),
  started_at: z.iso.datetime(),
  seconds: z.number(),
})

/** Kill everywhere. */
export const chaos = section({
  name: 'chaos',
  command: 'make chaos',
  read: (report) => figures.parse(report),
  refuse({ part, duplicates, losses, stuck, wrong }) {
    if (part !== null) return `it is of a part of the cases (${part})`
    return duplicates + losses + stuck + wrong > 0 ? 'it has violations' : null
  },
  write: (run) =>
    [
      `\`make chaos\`, ${run.machine}, seed ${run.seed}, ${grouped(run.seconds)} s, ${day(run.started_at)}. ` +
        `${grouped(run.messages)} messages; ${grouped(run.model_changes)} times the model answered differently when it was asked again.`,
      table([
        ['points', 'faults', 'cases', 'duplicates', 'losses', 'stuck', 'wrong otherwise'],
        [
          `${run.points}, each at its first, a middle and its last arrival`,
          `${faults.length}: ${faults.map((fault) => faultTitles[fault]).join('; ')}`,
          ...[run.cases, run.duplicates, run.losses, run.stuck, run.wrong].map(grouped),
        ],
      ]),
      table([
        ['seconds', 'p50', 'p99'],
        ['a crash, until the same request is answered', ...span(run.resume_ms_p50, run.resume_ms_p99)],
        [
          'a hang, or an event that the door did not send, until whoever waits gives up (the broker here after 5 s, a tool’s caller 3 s, a person 5 or 6 s)',
          ...span(run.hang_noticed_ms_p50, run.hang_noticed_ms_p99),
        ],
        ['from then until the same request is answered', ...span(run.hang_resume_ms_p50, run.hang_resume_ms_p99)],
        ['a tick that died, until the next is answered', ...span(run.tick_resume_ms_p50, run.tick_resume_ms_p99)],
        [
          'a write in doubt, until its turn is answered (here nothing may begin after 8 s; 60 s elsewhere)',
          ...span(run.in_doubt_resume_ms_p50, run.in_doubt_resume_ms_p99),
        ],
      ]),
    ].join('\n\n'),
})

function span(p50: number | null, p99: number | null): [string, string] {
  return [seconds(p50), seconds(p99)]
}
