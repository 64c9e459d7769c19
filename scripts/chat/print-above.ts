import { clearScreenDown, type Interface, moveCursor } from 'node:readline'

/** Writes lines above the prompt; the prompt and what was typed so far stand below them again, the cursor in its place. */
export function printAbove(lines: Interface, output: NodeJS.WritableStream, text: string): void {
  const { rows } = lines.getCursorPos()
  moveCursor(output, 0, -rows)
  output.write('\r')
  clearScreenDown(output)
  output.write(`${text}\n`)
  // The row of the cursor, counted from the prompt, as readline remembers it from when it last drew the line.
  Object.assign(lines, { prevRows: 0 })
  lines.prompt(true)
}
