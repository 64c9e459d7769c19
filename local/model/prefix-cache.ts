import { createHash } from 'node:crypto'

/** Tokens a cached block holds, as in vLLM. */
const blockSize = 16

/**
 * Remembers which token prefixes were computed before, by a chain of hashes over full blocks; a salt in the first
 * block's hash keeps tenants from each other's prefixes. The blocks used longest ago are forgotten first.
 */
export class PrefixCache {
  readonly #blocks = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** How many of the tokens stand in the cache already; they all do afterwards. */
  use(tokens: readonly string[], salt: string): number {
    let parent = `salt:${salt}`
    let cached = 0
    let unbroken = true
    for (let at = 0; at + blockSize <= tokens.length; at += blockSize) {
      parent = createHash('sha1')
        .update(`${parent}\n${tokens.slice(at, at + blockSize).join('\u0001')}`)
        .digest('base64')
      // Taken out and put in again: a Set keeps its order of entry, so the first one is the one used longest ago.
      const known = this.#blocks.delete(parent)
      this.#blocks.add(parent)
      unbroken &&= known
      if (unbroken) cached += blockSize
    }
    for (const block of this.#blocks) {
      if (this.#blocks.size <= this.#most) break
      this.#blocks.delete(block)
    }
    // The last token is always computed, or there would be nothing to go on from.
    return Math.min(cached, Math.max(0, Math.floor((tokens.length - 1) / blockSize) * blockSize))
  }

  get used(): number {
    return this.#blocks.size / this.#most
  }
}
