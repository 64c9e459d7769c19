import { isNode, LineCounter, parseAllDocuments } from 'yaml'
import * as z from 'zod/mini'

/** zod/mini says nothing but "Invalid input" unless it is told the words. */
const english = { error: z.locales.en().localeError }

/** One object of a YAML file, able to say where in it something stands. */
export class Manifest {
  readonly value: unknown
  private readonly file: string
  private readonly lineOf: (path: readonly PropertyKey[]) => number
  private readonly faults: string[]

  constructor(value: unknown, file: string, lineOf: (path: readonly PropertyKey[]) => number, faults: string[]) {
    this.value = value
    this.file = file
    this.lineOf = lineOf
    this.faults = faults
  }

  /** Notes a fault at the nearest line that there is for the path. */
  fault(path: readonly PropertyKey[], message: string): void {
    this.faults.push(`${this.file}:${this.lineOf(path)}: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`)
  }

  /** The object as the schema says, or undefined with every fault noted. */
  parse<Schema extends z.ZodMiniType>(schema: Schema): z.output<Schema> | undefined {
    const parsed = schema.safeParse(this.value, english)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) this.fault(issue.path, issue.message)
    return undefined
  }
}

/** Every object in a YAML text; `faults` collects what is wrong with it, as `file:line: …`. */
export function readManifests(text: string, file: string, faults: string[]): Manifest[] {
  const lines = new LineCounter()
  const manifests: Manifest[] = []
  for (const document of parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true })) {
    for (const error of document.errors) {
      faults.push(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? 'not YAML'}`)
    }
    if (document.errors.length > 0 || document.toJS() === null) continue
    const lineOf = (path: readonly PropertyKey[]) => {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true)
        if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
      }
      return document.contents?.range ? lines.linePos(document.contents.range[0]).line : 1
    }
    manifests.push(new Manifest(document.toJS(), file, lineOf, faults))
  }
  return manifests
}
