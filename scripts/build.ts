import { rm } from 'node:fs/promises'
import { build } from 'esbuild'

/**
 * Bundles each function into one file under build/, and build/main.js that starts the one FUNC_STAGE names.
 * `keepNames`: the Knative TypeScript runtime knows a returned event by its class name.
 */
const functions = ['ingress', 'normalize', 'route', 'agent', 'dispatch', 'keeper', 'servicenow']

await rm('build', { recursive: true, force: true })
await build({
  entryPoints: ['functions/main.ts', ...functions.map((name) => `functions/${name}/index.ts`)],
  outdir: 'build',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  // Dependencies in CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
})
