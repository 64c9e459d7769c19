import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

/** A piece of a line that an agent's file lets an employee read: words of the file, or a place for a fact. */
export type Piece = { words: string } | { place: string; fallback: string | null }
export type Line = Piece[]

/**
 * Every line that the texts of these agent files can have, with places for facts: read with a few rules of our own and
 * not with the engine that writes them. Branches are all taken, loops once; what a branch depends on is not looked at.
 */
export async function readShownLines(folder: string): Promise<Line[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('agent.yaml'))
  const texts = await Promise.all(files.map(async (file) => textsOf(parse(await readFile(join(folder, file), 'utf8')))))
  const lines = new Map(
    texts
      .flat()
      .flatMap(linesOf)
      .map((line) => [JSON.stringify(line), line]),
  )
  return [...lines.values()]
}

function textsOf(agent: { steps: Record<string, Record<string, unknown>> }): string[] {
  return Object.values(agent.steps).flatMap((step) =>
    // What an approver is asked is no answer to the employee.
    ['say', 'again', 'waiting', ...('approve' in step ? [] : ['ask'])].flatMap((verb) => {
      const text = step[verb]
      return typeof text === 'string' ? [text] : []
    }),
  )
}

type Node = Piece | { branches: Node[][] } | { loop: Node[] }

/** The lines of one template. */
export function linesOf(template: string): Line[] {
  const tokens = [...template.matchAll(/\{\{-?([\s\S]*?)-?\}\}|\{%-?([\s\S]*?)-?%\}|((?:(?!\{\{|\{%)[\s\S])+)/g)]
  let at = 0
  const readUntil = (ends: string[]): { nodes: Node[]; end: string } => {
    const nodes: Node[] = []
    while (at < tokens.length) {
      const [, place, tag, words] = tokens[at++] ?? []
      if (words !== undefined) nodes.push({ words })
      else if (place !== undefined) nodes.push(placeOf(place))
      else {
        const name = (tag ?? '').trim().split(/\s/)[0] ?? ''
        if (ends.includes(name)) return { nodes, end: name }
        if (name === 'if' || name === 'unless') nodes.push(readBranches(name))
        else if (name === 'for') nodes.push({ loop: readUntil(['endfor']).nodes })
        else throw new Error(`a tag that this reader does not know: ${name}`)
      }
    }
    return { nodes, end: '' }
  }
  const readBranches = (name: string): Node => {
    const branches: Node[][] = []
    const ends = ['elsif', 'else', `end${name}`]
    for (let end = ''; end !== `end${name}`; ) {
      const branch = readUntil(ends)
      if (branch.end === '') throw new Error(`${name} without its end`)
      branches.push(branch.nodes)
      if (branch.end === `end${name}` && end !== 'else') branches.push([])
      end = branch.end
    }
    return { branches }
  }
  return expand(readUntil([]).nodes).flatMap(cutLines)
}

function placeOf(source: string): Piece {
  const [path = '', ...filters] = source.split('|').map((part) => part.trim())
  const fallback = filters.map((filter) => /^default: "(.*)"$/.exec(filter)?.[1]).find((text) => text !== undefined)
  return { place: path.replace(/\["([^"]+)"\]/g, '.$1').replace(/\[(\d+)\]/g, ''), fallback: fallback ?? null }
}

/** All ways through the branches. A loop on one line is a place of its own: its pieces stand side by side. */
function expand(nodes: Node[]): Piece[][] {
  return nodes.reduce<Piece[][]>(
    (ways, node) => {
      const next: Piece[][] =
        'branches' in node ? node.branches.flatMap(expand) : 'loop' in node ? expandLoop(node.loop) : [[node]]
      return ways.flatMap((way) => next.map((more) => [...way, ...more]))
    },
    [[]],
  )
}

function expandLoop(nodes: Node[]): Piece[][] {
  const ways = expand(nodes)
  const isOfLines = ways.some((way) => way.some((piece) => 'words' in piece && piece.words.includes('\n')))
  if (!isOfLines) return [[{ place: '$list', fallback: null }]]
  return ways.map((way) => [{ words: '\n' }, ...way, { words: '\n' }])
}

function cutLines(pieces: Piece[]): Line[] {
  const lines: Line[] = [[]]
  for (const piece of pieces) {
    if ('place' in piece) lines.at(-1)?.push(piece)
    else {
      const [first = '', ...more] = piece.words.split('\n')
      lines.at(-1)?.push({ words: first })
      for (const words of more) lines.push([{ words }])
    }
  }
  return lines.map(trim).filter((line) => line.length > 0)
}

/** Without white space at its ends, and with words that stand side by side made one piece. */
function trim(line: Line): Line {
  const joined: Line = []
  for (const piece of line) {
    const last = joined.at(-1)
    if ('words' in piece && last !== undefined && 'words' in last)
      joined[joined.length - 1] = { words: last.words + piece.words }
    else joined.push(piece)
  }
  const [first] = joined
  if (first !== undefined && 'words' in first) joined[0] = { words: first.words.trimStart() }
  const last = joined.at(-1)
  if (last !== undefined && 'words' in last) joined[joined.length - 1] = { words: last.words.trimEnd() }
  return joined.filter((piece) => 'place' in piece || piece.words !== '')
}
