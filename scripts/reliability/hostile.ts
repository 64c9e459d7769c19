import * as z from 'zod/mini'
import { section } from './section.ts'
import { grouped, table } from './words.ts'

const figures = z.object({
  date: z.iso.date(),
  machine: z.string(),
  conversations: z.int(),
  violations: z.int(),
  seeds: z.object({ first: z.int(), last: z.int(), violating: z.array(z.int()) }),
  messages: z.int(),
  tickets: z.int(),
  model_answers: z.record(z.string(), z.int()),
  hostile_text: z.object({
    attacks: z.int(),
    kinds: z.int(),
    conversations: z.int(),
    messages: z.int(),
    tickets: z.int(),
    violations: z.int(),
  }),
  seconds: z.number(),
})

/** A hostile model, hostile text. */
export const hostile = section({
  name: 'hostile',
  command: 'make hostile',
  read: (report) => figures.parse(report),
  refuse({ conversations, violations }) {
    if (conversations < 1_000) return `it is of ${conversations} conversations`
    return violations > 0 ? 'it has violations' : null
  },
  write(run) {
    const text = run.hostile_text
    const kinds = Object.keys(run.model_answers).filter((kind) => kind !== 'honest').length
    const rows = [
      { what: `a model with ${kinds} kinds of hostile answer`, ...run, violations: run.violations - text.violations },
      { what: `a model that means well, ${text.attacks} attacks of ${text.kinds} kinds in what it reads`, ...text },
    ]
    return [
      `\`make hostile\`, ${run.machine}, seeds ${run.seeds.first} to ${grouped(run.seeds.last)}, ${grouped(run.seconds)} s, ${run.date}.`,
      table([
        ['against', 'conversations', 'messages', 'tickets', 'violations'],
        ...rows.map(({ what, conversations, messages, tickets, violations }) => [
          what,
          ...[conversations, messages, tickets, violations].map(grouped),
        ]),
      ]),
    ].join('\n\n')
  },
})
