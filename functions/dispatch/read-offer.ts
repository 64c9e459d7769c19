import * as z from 'zod/mini'
import type { Offer } from '../../shared/flow/index.ts'

const offer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('choices'),
    choices: z.array(z.object({ title: z.string(), reply: z.string() })),
  }),
  z.object({ kind: z.literal('approval'), id: z.uuid(), expiresAt: z.string() }),
])

/** What an answer offers to be answered with by one press; null: nothing, or nothing that this version knows. */
export function readOffer(metadata: Record<string, unknown>): Offer | null {
  const parsed = offer.safeParse(metadata['offer'])
  return parsed.success ? parsed.data : null
}
