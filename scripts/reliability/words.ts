/** Rows of cells as a Markdown table; the first is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((cells) => `| ${cells.join(' | ')} |`)
  return [head, `|${'---|'.repeat(rows[0]?.length ?? 0)}`, ...body].join('\n')
}

/** 12345 as 12,345. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

/** Milliseconds as seconds: two digits that count, or a dash where there are none. */
export function seconds(milliseconds: number | null): string {
  if (milliseconds === null) return '–'
  return (milliseconds / 1_000).toFixed(milliseconds < 1_000 ? 2 : 1)
}

/** The day of a time in ISO 8601. */
export function day(time: string): string {
  return time.slice(0, 10)
}
