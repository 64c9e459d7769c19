/** One table of docs/reliability.md: which figures of a report it keeps, and what it says of them. */
export interface Section<Figures = unknown> {
  /** Of the report, the figures and the markers. */
  name: string
  /** What writes the report. */
  command: string
  /** The figures of a report, or of a file of figures. Throws where something is missing. */
  read(report: unknown): Figures
  /** Why these figures say nothing of the promises, as a sentence without its end; null where they do. */
  refuse(figures: Figures): string | null
  /** As Markdown. */
  write(figures: Figures): string
}

/** A section whose figures only it knows. */
export function section<Figures>(one: Section<Figures>): Section {
  const { name, command, read } = one
  return {
    name,
    command,
    read,
    refuse: (figures) => one.refuse(read(figures)),
    write: (figures) => one.write(read(figures)),
  }
}

/**
 * The document with a section's text between its markers.
 * @throws Error where it has not both of them, once each
 */
export function place(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before = '', rest = '', ...more] = document.split(begin)
  const [, after = '', ...others] = rest.split(end)
  if (more.length > 0 || others.length > 0 || !rest.includes(end)) {
    throw new Error(`The document needs ${begin} and, after it, ${end}, once each.`)
  }
  return `${before}${begin}\n${text}\n${end}${after}`
}
