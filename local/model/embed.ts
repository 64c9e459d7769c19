import { hash } from './tokens.ts'
import { concept, isFunctionWord, wordsOf } from './words.ts'

/**
 * A vector of length 1 for a text: its words, folded to stems and near-synonyms, and their three-letter pieces, hashed
 * with a sign into the dimensions. Texts with words in common are near each other; there is no deeper meaning in it.
 */
export function embed(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0)
  const add = (feature: string, weight: number) => {
    const key = hash(feature)
    const at = key % dimensions
    vector[at] = (vector[at] ?? 0) + (hash(feature, 0x9747b28c) & 1 ? weight : -weight)
  }
  for (const word of wordsOf(text)) {
    const weight = isFunctionWord(word) ? 0.1 : 1
    add(`word ${concept(word)}`, weight)
    const padded = `^${word}$`
    for (let at = 0; at + 3 <= padded.length; at += 1) add(`piece ${padded.slice(at, at + 3)}`, weight * 0.3)
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}

/** A vector as the API's base64: 32-bit floats, little-endian. */
export function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
