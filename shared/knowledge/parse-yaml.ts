import { isAlias, isMap, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { Fault } from '../errors/fault.ts'
import type { Row, Value } from './source.ts'

/**
 * Reads a YAML table: a list of maps, or one map for a table of one row.
 * @throws Fault `knowledge.invalid` with file and line.
 */
export function parseYaml(file: string, text: string): Row[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', prettyErrors: false, merge: false })
  const at = (offset: number) => lines.linePos(offset).line
  const refuse = (node: Node | null, why: string): never => {
    throw new Fault('knowledge.invalid', `${file}:${at(node?.range?.[0] ?? 0)}: ${why}`)
  }
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem) throw new Fault('knowledge.invalid', `${file}:${at(problem.pos[0])}: ${problem.message}`)
  const root = document.contents
  if (root === null || !(isMap(root) || isSeq(root))) return refuse(root, 'is neither a list of maps nor a map')
  visit(document, {
    Alias: (_, node) => refuse(node, 'has an alias; write the value out'),
    Scalar: (_, node) => {
      // A number that a computer would round is a code, and codes are text.
      if (typeof node.value === 'number' && (!Number.isFinite(node.value) || Math.abs(node.value) > 2 ** 53)) {
        refuse(node, `the number ${node.source} is not exact; quote it`)
      }
    },
  })
  for (const item of isSeq(root) ? root.items : []) {
    if (!isMap(item) || isAlias(item)) refuse(item as Node | null, 'this item is no map')
  }
  const value = document.toJS() as Row | Row[]
  return Array.isArray(value) ? value : [value satisfies Value]
}
