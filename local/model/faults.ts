/** What this server can be told to do wrong. */
export const faultKinds = [
  'overload503',
  'loading',
  'error500',
  'hang',
  'slow-first-token',
  'reset',
  'stream-error',
  'malformed-json',
  'wrong-label',
  'empty',
  'truncated',
  'unknown-tool',
  'extra-argument',
] as const

export type FaultKind = (typeof faultKinds)[number]

function isFaultKind(text: string): text is FaultKind {
  return faultKinds.some((kind) => kind === text)
}

/** Which fault the next requests get: set at run time for the next n or for all; a request's own header goes first. */
export class FaultPlan {
  #kind: FaultKind | undefined
  #left = 0

  set(kind: FaultKind | undefined, next: number) {
    this.#kind = next > 0 ? kind : undefined
    this.#left = next
  }

  /** The fault of one request; a planned one is used up by it. */
  take(header: string | undefined): FaultKind | undefined {
    if (header !== undefined && isFaultKind(header)) return header
    if (this.#kind === undefined || this.#left <= 0) return undefined
    const kind = this.#kind
    this.#left -= 1
    if (this.#left <= 0) this.#kind = undefined
    return kind
  }

  get planned(): { kind: FaultKind | null; next: number | 'all' } {
    return { kind: this.#kind ?? null, next: Number.isFinite(this.#left) ? this.#left : 'all' }
  }
}
