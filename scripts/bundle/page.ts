import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

export interface BuiltFile {
  path: string
  contents: Uint8Array
}

/**
 * The chat page of web/ as files below a folder: script, style and icon under names with a hash of their content, and
 * the pages that name them. Whoever holds an old page keeps its files; a new page never meets old ones.
 */
export async function buildPage(root: string, folder: string): Promise<BuiltFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['web/main.ts', 'web/link.ts', 'web/settings.ts', 'web/style.css'],
    outdir: folder,
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // Of 2024: the browsers that know light-dark().
    target: ['chrome123', 'firefox120', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'warning',
  })
  const contentOf = (end: string): Uint8Array => {
    const found = outputFiles.find(({ path }) => path.endsWith(end))
    if (found === undefined) throw new Error(`web/ was built without a ${end}`)
    return found.contents
  }
  const files = [
    ['script', 'js', contentOf('main.js')],
    ['link', 'js', contentOf('link.js')],
    ['settings', 'js', contentOf('settings.js')],
    ['style', 'css', contentOf('style.css')],
    ['icon', 'svg', await readFile(join(root, 'web/icon.svg'))],
  ] as const
  const built: BuiltFile[] = []
  const pages = new Map<string, string>()
  for (const name of ['index.html', 'link.html', 'settings.html']) {
    pages.set(name, await readFile(join(root, 'web', name), 'utf8'))
  }
  for (const [name, type, contents] of files) {
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12)
    built.push({ path: join(folder, `assets/${name}-${hash}.${type}`), contents })
    for (const [page, text] of pages) {
      pages.set(page, text.replaceAll(`{{${name}}}`, `/assets/${name}-${hash}.${type}`))
    }
  }
  // Last, as they name the others.
  return [...built, ...[...pages].map(([name, text]) => ({ path: join(folder, name), contents: Buffer.from(text) }))]
}
