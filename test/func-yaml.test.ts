import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Ajv from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod/mini'

const root = fileURLToPath(new URL('../', import.meta.url))
const folders = readdirSync(join(root, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const ajv = new Ajv.default({ allErrors: true, strict: false })
addFormats.default(ajv, ['date-time'])
const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'test/func-yaml.schema.json'), 'utf8')))

const env = z.object({ name: z.string(), value: z.string() })
const ours = z.object({
  specVersion: z.literal('0.36.0'),
  name: z.string(),
  runtime: z.literal('typescript'),
  namespace: z.literal('self-service-agent'),
  build: z.object({ builder: z.literal('pack'), buildEnvs: z.array(env) }),
  run: z.object({ envs: z.array(env) }),
  deploy: z.object({
    serviceAccountName: z.string(),
    healthEndpoints: z.object({ liveness: z.literal('/health/liveness'), readiness: z.literal('/health/readiness') }),
    options: z.object({
      scale: z.object({ min: z.literal(0), max: z.int(), metric: z.literal('concurrency'), target: z.int() }),
      resources: z.object({
        requests: z.object({ cpu: z.string(), memory: z.string() }),
        limits: z.object({ cpu: z.string(), memory: z.string(), concurrency: z.int() }),
      }),
    }),
    // func never updates a Trigger that it once made, so ours are in knative/.
    subscriptions: z.optional(z.never()),
  }),
})

function read(path: string): unknown {
  // Times stay text, as JSON has them.
  return parse(readFileSync(join(root, path), 'utf8'), { schema: 'core' })
}

describe.each(['func.yaml', ...folders.map((name) => `functions/${name}/func.yaml`)])('%s', (path) => {
  test('is what func takes', () => {
    validate(read(path))
    expect(validate.errors ?? []).toEqual([])
  })

  test('scales to zero, knows its health paths and builds what `npm run build` makes', () => {
    const file = ours.parse(read(path))
    expect(file.build.buildEnvs).toContainEqual({ name: 'BP_NODE_RUN_SCRIPTS', value: 'build' })
    const { scale, resources } = file.deploy.options
    expect(scale.target).toBeLessThanOrEqual(resources.limits.concurrency)
    // A Trigger has fifty deliveries under way; what doesn't fit would burn its timeout in a queue.
    expect(scale.max * resources.limits.concurrency).toBeGreaterThanOrEqual(50)
  })

  test('takes every secret from a Secret', () => {
    for (const { name, value } of ours.parse(read(path)).run.envs) {
      const isSecret = /(DATABASE_URL|_KEY|PASSWORD|_TOKEN)$/.test(name) && !name.endsWith('PUBLIC_KEY')
      if (isSecret) expect(value, name).toMatch(/^\{\{ secret:[a-z0-9-]+:[a-z0-9-]+ \}\}$/)
      else if (value.startsWith('{{'))
        expect(value, name).toMatch(/^\{\{ (secret|configMap):[a-z0-9-]+:[a-z0-9-]+ \}\}$/)
    }
  })
})

describe.each(folders)('functions/%s', (folder) => {
  const file = ours.parse(read(`functions/${folder}/func.yaml`))

  test('is named as its folder, and runs that function of the image', () => {
    expect(file.name).toBe(folder)
    expect(file.run.envs).toContainEqual({ name: 'FUNC_STAGE', value: folder })
  })
})

test('the root function is the whole image', () => {
  const file = ours.parse(read('func.yaml'))
  expect(file.name).toBe('self-service-agent')
  const stage = file.run.envs.find(({ name }) => name === 'FUNC_STAGE')?.value
  expect(folders).toContain(stage)
})

test('the schema refuses what func refuses', () => {
  const good = { specVersion: '0.36.0', created: '2026-01-01T00:00:00Z' }
  expect(validate(good)).toBe(true)
  for (const bad of [
    { specVersion: '0.36.0' },
    { ...good, created: 'yesterday' },
    { ...good, name: 'Agent' },
    { ...good, middleware: {} },
    { ...good, build: { builder: 'host' } },
    { ...good, run: { envs: [{ name: '1X', value: 'x' }] } },
    { ...good, run: { volumes: [{ path: '/p', secret: 's', configMap: 'c' }] } },
    { ...good, deploy: { options: { scale: { min: -1 } } } },
    { ...good, deploy: { subscriptions: [{ filters: {} }] } },
  ]) {
    expect(validate(bad), JSON.stringify(bad)).toBe(false)
  }
})
