const cardinals = [
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
  'twenty',
]
const ordinals = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
  'eleventh',
  'twelfth',
  'thirteenth',
  'fourteenth',
  'fifteenth',
  'sixteenth',
  'seventeenth',
  'eighteenth',
  'nineteenth',
  'twentieth',
]

/** The number that an English word from "one" to "twenty" names. */
export const cardinalWords: ReadonlyMap<string, number> = new Map(cardinals.map((word, index) => [word, index + 1]))
/** The place that an English word from "first" to "twentieth" names. */
export const ordinalWords: ReadonlyMap<string, number> = new Map(ordinals.map((word, index) => [word, index + 1]))
