import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundleFunctions } from '../../scripts/build.ts'

const root = join(import.meta.dirname, '../..')

/** One place in the product's sources that a bundle has otherwise. */
export interface Change {
  file: string
  from: string
  to: string
}

/**
 * Bundles the functions into a folder, with these changes in the copy: no switch in the product for what only the harness
 * needs. Returns the file to start.
 * @throws Error where a place that is to be changed is not there exactly once, or a file of a change is not bundled
 */
export async function bundle(folder: string, changes: readonly Change[] = []): Promise<string> {
  const made = new Set<Change>()
  await bundleFunctions(folder, [changing(changes, made)])
  const missed = changes.find((change) => !made.has(change))
  if (missed !== undefined) throw new Error(`${missed.file} is in no bundle, so that nothing of it was changed`)
  return join(folder, 'main.js')
}

function changing(changes: readonly Change[], made: Set<Change>): Plugin {
  return {
    name: 'changing',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const ours = changes.filter(({ file }) => file === relative(root, path))
        if (ours.length === 0) return undefined
        let contents = await readFile(path, 'utf8')
        for (const change of ours) {
          contents = apply(contents, change)
          made.add(change)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** @throws Error where the place is not there exactly once */
export function apply(text: string, { file, from, to }: Change): string {
  const found = text.split(from).length - 1
  if (found !== 1) throw new Error(`${file} has this ${found} times instead of once: ${from}`)
  return text.replace(from, () => to)
}
