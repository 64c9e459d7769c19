import { burst } from './burst.ts'
import { chaos } from './chaos.ts'
import { hostile } from './hostile.ts'
import { load } from './load.ts'
import { place, type Section } from './section.ts'

/** Everything in docs/reliability.md that a command measured. */
export const sections: readonly Section[] = [chaos, hostile, burst, load]

/** A file's JSON; undefined where there is no such file. */
export type ReadFigures = (name: string) => Promise<unknown>

/** The document with the table of each section that has figures. */
export async function fill(document: string, readFigures: ReadFigures): Promise<string> {
  let filled = document
  for (const one of sections) {
    const figures = await readFigures(one.name)
    if (figures !== undefined) filled = place(filled, one.name, one.write(figures))
  }
  return filled
}
