import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod/mini'
import type { HostedFunction } from '../shared/stage/function.ts'

/** What each function reads of its environment, against what its func.yaml sets. */
const root = fileURLToPath(new URL('../', import.meta.url))
const folders = readdirSync(join(root, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
/** Values that every function starts with. */
const values: Record<string, string> = {
  DATABASE_URL: 'postgres://somebody@127.0.0.1:1/nowhere',
  K_SINK: 'http://127.0.0.1:1/broker',
  OIDC_ISSUER: 'http://127.0.0.1:1',
  OIDC_AUDIENCE: 'self-service-agent',
  OIDC_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
  LLM_URL: 'http://127.0.0.1:1/v1',
  LLM_MODEL: 'a-model',
  TOOL_SERVERS: '{"servicenow":"http://127.0.0.1:1/mcp"}',
  TOOL_IDENTITY_PRIVATE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })),
  SERVICENOW_URL: 'http://127.0.0.1:1',
  SERVICENOW_API_KEY: 'a-key',
  SERVICENOW_LAPTOP_REFRESH_ID: 'a',
  SERVICENOW_LICENCE_ID: 'b',
  SERVICENOW_HELP_ID: 'c',
}
/** Of those, what a function refuses to start without: to be set, whatever else may be left out. */
const mustBeSet = new Set(Object.keys(values))
/** Settings with a default that is right on a cluster, too: whoever changes one adds it to the func.yaml. */
const defaulted = new Set([
  'WEB_DIR',
  ...[
    'MESSAGE_LIMIT',
    'WAITING_LIMIT',
    'ATTACHMENT_LIMIT',
    'AGENTS_DIR',
    'INTEGRATIONS_DIR',
    'LLM_CACHE_SALT',
    'LLM_TIMEOUT_MS',
    'WRITE_WINDOW_MS',
  ],
  ...['TURN_STEP_LIMIT', 'TURN_TOKEN_LIMIT', 'SESSION_TOKEN_LIMIT', 'SERVICENOW_API_KEY_HEADER'],
  ...['SERVICENOW_TIMEOUT_MS', 'SERVICENOW_LAPTOP_REQUEST_LIMITS', 'SERVICENOW_LAPTOP_AVOID_DUPLICATES'],
  ...['SLACK_API_URL', 'SLACK_SLASH_COMMAND', 'SLACK_TEAMS', 'SLACK_GUESTS'],
])

const file = z.object({ run: z.object({ envs: z.array(z.object({ name: z.string() })) }) })

/** The names that a func.yaml sets, and K_SINK where the SinkBinding of knative/base names the function. */
function given(path: string, folder: string): string[] {
  const { run } = file.parse(parse(readFileSync(join(root, path), 'utf8')))
  const bindings = readFileSync(join(root, 'knative/base/sink-bindings.yaml'), 'utf8')
  const bound = bindings.includes(`kind: Service, name: ${folder}}`) ? ['K_SINK'] : []
  return [...new Set([...run.envs.map(({ name }) => name), ...bound])].sort()
}

/** Starts a function and writes down every name that it asks for; nothing is connected to before an event comes. */
async function namesRead(folder: string): Promise<Set<string>> {
  const names = new Set<string>()
  const environment = new Proxy(values, {
    get(target, name) {
      names.add(String(name))
      return target[String(name)]
    },
  })
  const { createFunction } = (await import(`../functions/${folder}/index.ts`)) as {
    createFunction(environment: Record<string, string | undefined>): HostedFunction
  }
  await createFunction(environment).shutdown?.()
  return names
}

describe.each(folders)('functions/%s', (folder) => {
  test('its func.yaml sets what it reads, and nothing that it does not read', async () => {
    const read = await namesRead(folder)
    expect([...read].filter((name) => mustBeSet.has(name)).length, 'names seen').toBeGreaterThan(0)
    const set = given(`functions/${folder}/func.yaml`, folder)
    // FUNC_STAGE is read by functions/main.ts, which starts the one that it names.
    expect(set.filter((name) => name !== 'FUNC_STAGE')).toEqual(
      [...read].filter((name) => !defaulted.has(name) || set.includes(name)).sort(),
    )
  })
})

test('the root func.yaml sets what its stage reads', async () => {
  const read = await namesRead('ingress')
  const set = given('func.yaml', 'self-service-agent')
  expect(set.filter((name) => name !== 'FUNC_STAGE')).toEqual([...read].filter((name) => !defaulted.has(name)).sort())
})

test('what is said to have a default is read by a function', async () => {
  const read = new Set((await Promise.all(folders.map(namesRead))).flatMap((names) => [...names]))
  expect([...defaulted].filter((name) => !read.has(name))).toEqual([])
})
