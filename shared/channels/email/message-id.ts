const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const own = new RegExp(`^<(${uuid})\\.(${uuid})@([^@<>\\s]+)>$`)
const form = /<[^<>\s@"\\()]{1,200}@[^<>\s@"\\()]{1,200}>/g

/** The Message-ID of a delivery: the same for every try of it, and one by which its reply finds the turn again. */
export function messageIdOf(delivery: { id: string; turn: string }, domain: string): string {
  return `<${delivery.id}.${delivery.turn}@${domain}>`
}

/** The delivery that a Message-ID of ours names; null where it is none of ours. */
export function readMessageId(messageId: string, domain: string): { id: string; turn: string } | null {
  const [, id, turn, at] = own.exec(messageId) ?? []
  return id === undefined || turn === undefined || at !== domain ? null : { id, turn }
}

/** The Message-IDs of a header, in their order; whatever else stands there is left out. */
export function readMessageIds(header: string): string[] {
  return header.match(form) ?? []
}

/** Ids of one thread that a References header carries (RFC 5322, 3.6.4), cut in its middle: clients thread by its ends. */
export function cutReferences(ids: readonly string[]): string[] {
  const different = [...new Set(ids)]
  return different.length <= mostReferences
    ? different
    : [...different.slice(0, 1), ...different.slice(1 - mostReferences)]
}

const mostReferences = 12
