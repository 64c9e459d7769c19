import * as z from 'zod/mini'

const expression = z.string().check(z.minLength(1), z.maxLength(1_000))
const list = (longest: number) => z.array(z.string().check(z.minLength(1), z.maxLength(longest)))

/** What becomes of events of one type. */
const mapping = z.strictObject({
  /** CEL over `event`: true where it becomes a message; left out: always. */
  when: z.optional(expression),
  /** CEL over `event`: the e-mail address of the person whose message it becomes. */
  person: expression,
  /** Liquid over `event`: the words of the message. */
  text: z.string().check(z.minLength(1), z.maxLength(4_000)),
  /** Where the person is answered: the first of these that they are on; left out: on any. */
  answer: z.optional(list(40)),
})

/** A file integrations/<source>.yaml. */
export const integrationFile = z.strictObject({
  title: z.string().check(z.minLength(1), z.maxLength(100)),
  /** Values of the attribute `source` that this system's key may speak for. */
  sources: list(1_000).check(z.minLength(1)),
  /** DNS names that may send, for the handshake of a webhook; none: no sender is told so. */
  origins: z._default(list(253), []),
  /** Domains of the people who may be named: nobody else is ever written to. */
  domains: list(253).check(z.minLength(1)),
  /** What happens to events of other types. */
  others: z._default(z.enum(['refuse', 'ignore']), 'refuse'),
  /** Whether the token may stand in the URL (CloudEvents http-webhook 1.0.2, 3.2), where logs keep it. */
  'token-in-url': z._default(z.boolean(), false),
  events: z.record(z.string().check(z.minLength(1), z.maxLength(400)), mapping),
})

export type Mapping = z.infer<typeof mapping>

export interface Integration extends z.infer<typeof integrationFile> {
  /** The source's name in its address: that of the file. */
  name: string
}

/** Letters, digits and hyphens: it stands in an address. */
export const sourceName = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/

/** What expressions and templates read. */
export const namesOfEvent: ReadonlySet<string> = new Set(['event'])
