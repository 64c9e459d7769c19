import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { build, type Plugin, stop } from 'esbuild'
import { buildPage } from './bundle/page.ts'
import { readCommand } from './command-line/read-command.ts'

const root = join(import.meta.dirname, '..')
const functions = ['ingress', 'normalize', 'route', 'agent', 'dispatch', 'keeper', 'servicenow']

/**
 * Bundles each function into one file of a folder, a main.js that starts the one FUNC_STAGE names, and the chat page
 * into web/. Who reads the folder meanwhile finds the old files or the new ones, never none. `plugins` change what goes in, for a test.
 */
export async function bundleFunctions(folder: string, plugins: Plugin[] = []): Promise<void> {
  const { outputFiles: bundles } = await build({
    absWorkingDir: root,
    entryPoints: ['functions/main.ts', ...functions.map((name) => `functions/${name}/index.ts`)],
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    // The Knative TypeScript runtime knows a returned event by its class name.
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'warning',
    plugins,
    // Dependencies in CommonJS call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
  const page = await buildPage(root, join(folder, 'web'))
  // Its process would stay as long as this one.
  await stop()
  const outputFiles = [...bundles.sort(byNeed), ...page]
  await mkdir(folder, { recursive: true })
  const draft = await mkdtemp(join(folder, '.draft-'))
  try {
    for (const { path, contents } of outputFiles) {
      await writeFile(join(draft, 'file'), contents)
      await mkdir(dirname(path), { recursive: true })
      await rename(join(draft, 'file'), path)
    }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  await removeOthers(folder, new Set(outputFiles.map(({ path }) => path)))
}

/** First the chunks, whose names change with what is in them, then the files that name them. */
function byNeed(a: { path: string }, b: { path: string }): number {
  const isChunk = (path: string) => Number(path.includes(`${sep}chunks${sep}`))
  return isChunk(b.path) - isChunk(a.path)
}

/** Removes what an earlier build left, but no draft: it may be another build's. */
async function removeOthers(folder: string, kept: Set<string>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || kept.has(path) || path.includes(`${sep}.draft-`)) continue
    await rm(path, { force: true })
  }
}

if (import.meta.main) {
  readCommand(`Usage: scripts/build.ts
Bundles each function into one file under build/, and build/main.js that starts the one that FUNC_STAGE names. This is
what an image of a function runs. Whoever reads build/ meanwhile finds the old files or the new ones.`)
  await bundleFunctions(join(root, 'build'))
}
