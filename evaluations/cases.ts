import * as z from 'zod/mini'

const expectations = {
  'first-message': z.strictObject({
    agent: z.enum(['laptop-refresh', 'software-licence', 'it-help', 'capabilities', 'unsure']),
  }),
  offer: z.strictObject({ label: z.enum(['proceed', 'decline', 'question', 'back']) }),
  pick: z.strictObject({ pick: z.nullable(z.int().check(z.minimum(1), z.maximum(4))) }),
  confirm: z.strictObject({ answer: z.enum(['yes', 'no', 'neither']) }),
  'licence-details': z.strictObject({
    product: z.nullable(z.string()),
    seats: z.nullable(z.int()),
    cost_centre: z.nullable(z.string()),
    justification: z.boolean(),
  }),
}

const common = { id: z.int(), message: z.string().check(z.minLength(1)) }
const oneCase = z.discriminatedUnion('situation', [
  z.object({ ...common, situation: z.literal('first-message'), expect: expectations['first-message'] }),
  z.object({ ...common, situation: z.literal('offer'), expect: expectations.offer }),
  z.object({ ...common, situation: z.literal('pick'), expect: expectations.pick }),
  z.object({ ...common, situation: z.literal('confirm'), expect: expectations.confirm }),
  z.object({ ...common, situation: z.literal('licence-details'), expect: expectations['licence-details'] }),
])

/** A message, the point of a conversation at which it is said, and what the agent should make of it. */
export type Case = z.infer<typeof oneCase>
export type Situation = Case['situation']

export const situations: Situation[] = ['first-message', 'offer', 'pick', 'confirm', 'licence-details']

/**
 * Reads a file of cases.
 * @throws Error whose sentence says what is wrong, and with which case: before any message is said.
 */
export function parseCases(text: string): Case[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`The file is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const list = z.array(z.unknown()).check(z.minLength(1)).safeParse(value)
  if (!list.success) throw new Error('The file is no JSON array of cases.')
  const cases = list.data.map((item, index) => {
    const parsed = oneCase.safeParse(item)
    if (parsed.success) return parsed.data
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ')
    throw new Error(`Case ${index + 1} of the file is not of the form that example.json shows: see ${where}.`)
  })
  const seen = new Set<number>()
  for (const { id } of cases) {
    if (seen.has(id)) throw new Error(`Two cases have the id ${id}.`)
    seen.add(id)
  }
  return cases
}
