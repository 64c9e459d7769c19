const zeroWidth = /[\u00AD\u200B-\u200D\u2060\uFEFF]/gu
const apostrophes = /[\u2018\u2019\u201B\u02BC\u00B4\u0060\uFF07]/gu
const edges = /^[\s.,!?;:…¡¿"'()]+|[\s.,!?;:…¡¿"'()]+$/gu

/**
 * One spelling for what reads the same: NFKC, no zero-width characters, plain apostrophes, lower case, single spaces.
 */
export function foldText(text: string): string {
  return text
    .normalize('NFKC')
    .replace(zeroWidth, '')
    .replace(apostrophes, "'")
    .toLowerCase()
    .replace(/\s+/gu, ' ')
    .trim()
}

/** Folded, and without punctuation at either end: two phrases are the same when these are equal. */
export function foldPhrase(text: string): string {
  return foldText(text).replace(edges, '')
}
