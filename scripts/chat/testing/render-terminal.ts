/**
 * What a terminal of so many columns shows after these bytes, line by line without blanks at the ends: as much of a
 * terminal as readline uses.
 */
export function renderTerminal(written: string, columns: number): string[] {
  const rows: string[][] = [[]]
  let [row, column] = [0, 0]
  const cells = () => {
    while (rows.length <= row) rows.push([])
    return rows[row] ?? []
  }
  const control: Record<string, (count: number) => void> = {
    A: (count) => {
      row = Math.max(0, row - count)
    },
    B: (count) => {
      row += count
    },
    C: (count) => {
      column = Math.min(columns - 1, column + count)
    },
    D: (count) => {
      column = Math.max(0, column - count)
    },
    G: (count) => {
      column = count - 1
    },
    J: () => {
      cells().splice(column)
      rows.splice(row + 1)
    },
    K: () => void cells().splice(column),
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told with.
  for (const [token, sequence, number, kind] of written.matchAll(/(\x1b\[\??(\d*)(?:;\d+)*([A-Za-z]))|[\s\S]/gu)) {
    if (sequence !== undefined) control[kind ?? '']?.(Number(number || 1))
    else if (token === '\r') column = 0
    else if (token === '\n') row += 1
    else {
      if (column === columns) [row, column] = [row + 1, 0]
      cells()[column] = token
      column += 1
    }
  }
  const lines = rows.map((each) =>
    Array.from(each, (cell) => cell ?? ' ')
      .join('')
      .trimEnd(),
  )
  while (lines.at(-1) === '') lines.pop()
  return lines
}
