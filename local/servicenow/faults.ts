import * as z from 'zod/mini'

const kinds = [
  '401',
  '404',
  '429',
  '500',
  '503',
  'hang',
  'garbage',
  'huge',
  'slow',
  'reset',
  'reset-after-commit',
] as const

/** What goes wrong with the next `count` requests whose path begins with `path`. */
export const faultSchema = z.object({
  kind: z.enum(kinds),
  count: z._default(z.int().check(z.minimum(1)), 1),
  path: z._default(z.string(), '/api/'),
  /** Whether the request takes effect before the answer is spoilt. */
  commit: z._default(z.boolean(), false),
  /** Milliseconds that `slow` waits before it answers as usual. */
  delay_ms: z._default(z.int().check(z.minimum(0)), 1000),
  /** Seconds that a 429 names. */
  retry_after: z._default(z.int().check(z.minimum(0)), 1),
})

type MockFault = z.infer<typeof faultSchema>

export interface Faults {
  add(fault: z.input<typeof faultSchema>): void
  /** Takes one off the first fault that is meant for this path. */
  take(path: string): MockFault | undefined
  clear(): void
}

export function createFaults(): Faults {
  let faults: MockFault[] = []
  return {
    add: (fault) => void faults.push(faultSchema.parse(fault)),
    take(path) {
      const fault = faults.find((candidate) => path.startsWith(candidate.path))
      if (fault === undefined) return undefined
      fault.count -= 1
      faults = faults.filter((candidate) => candidate.count > 0)
      return { ...fault, commit: fault.commit || fault.kind === 'reset-after-commit' }
    },
    clear() {
      faults = []
    },
  }
}
