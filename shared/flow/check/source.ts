import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

export type Path = readonly (string | number)[]

/** A YAML file, and where in it everything stands. */
export interface Source {
  /** What the file says, as plain JavaScript values; meaningless where there are faults. */
  value: unknown
  faults: { line: number; message: string }[]
  /** The line (from 1) of the key, or list item, at this path, or of the nearest thing above it that is there. */
  lineOf(path: Path): number
  /** The line on which the given line (from 1) of the text at this path stands. */
  lineInText(path: Path, line: number): number
}

export function readSource(text: string): Source {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const lineAt = (offset: number) => Math.max(1, counter.linePos(offset).line)
  const faults = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    line: lineAt(pos[0]),
    message: message.replace(/\s+/g, ' '),
  }))
  let value: unknown = null
  if (faults.length === 0) {
    try {
      value = document.toJS()
    } catch (error) {
      faults.push({ line: 1, message: error instanceof Error ? error.message : 'cannot be read' })
    }
  }
  const root = document.contents
  return {
    value,
    faults,
    lineOf: (path) => lineAt(find(root, path).offset),
    lineInText: (path, line) => {
      const { node, offset } = find(root, path)
      const start = lineAt(node?.range?.[0] ?? offset)
      const block = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
      return block ? start + line : start + line - 1
    },
  }
}

function find(root: Node | null, path: Path): { node: Node | null; offset: number } {
  let node: Node | null = root
  let offset = root?.range?.[0] ?? 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      )
      if (pair === undefined || !isScalar(pair.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = asNode(pair.value)
    } else if (isSeq(node) && typeof key === 'number') {
      const item = asNode(node.items[key])
      if (item === null) break
      offset = item.range?.[0] ?? offset
      node = item
    } else {
      break
    }
  }
  return { node, offset }
}

function asNode(value: unknown): Node | null {
  return isScalar(value) || isMap(value) || isSeq(value) ? value : null
}
