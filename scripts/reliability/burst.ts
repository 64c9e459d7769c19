import * as z from 'zod/mini'
import { section } from './section.ts'
import { day, grouped, table } from './words.ts'

const figures = z.object({
  date: z.iso.datetime(),
  machine: z.string(),
  requests: z.int(),
  deliveries: z.int(),
  republished: z.int(),
  ticks: z.int(),
  seconds: z.number(),
})

/** A backlog that ticks must not multiply. */
export const burst = section({
  name: 'burst',
  command: 'make burst',
  read: (report) => figures.parse(report),
  refuse({ requests, republished, deliveries }) {
    if (requests < 5_000) return `it is of ${requests} requests`
    return republished > deliveries / 100 ? 'more than one in a hundred deliveries was republished' : null
  },
  write: (run) =>
    [
      `\`make burst\`, ${run.machine}, ${grouped(run.seconds)} s, ${day(run.date)}; a model that needs ten minutes for all of them.`,
      table([
        ['requests at once', 'deliveries', 'ticks meanwhile', 'republished', 'share'],
        [
          ...[run.requests, run.deliveries, run.ticks, run.republished].map(grouped),
          `${((100 * run.republished) / run.deliveries).toFixed(2)} %`,
        ],
      ]),
    ].join('\n\n'),
})
