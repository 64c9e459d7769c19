/** What a field of a record can hold. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value }
/** A row of a table, as the file spells it. */
export type Row = Record<string, Value>

/** One file of an agent's knowledge folder. */
export type Source = { agent: string; name: string; contentHash: string } & (
  | { kind: 'records'; rows: Row[] }
  | { kind: 'document'; title: string; sections: Section[] }
)

/** A piece of a document: '' is the heading of what stands before the first one. */
export interface Section {
  heading: string
  content: string
}

/** A piece of a document as a search finds it; a higher score is better, and compares within one search only. */
export interface Passage {
  name: string
  title: string
  heading: string
  content: string
  score: number
}
