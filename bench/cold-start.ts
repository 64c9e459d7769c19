import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findFreePorts } from '../local/platform/ports.ts'

/**
 * From the start of a function's process until it answers its liveness path, and its memory then: the bundles of
 * build/, as they are deployed, one after the other. Postgres is not asked: a function connects on its first query.
 */
const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' }, help: { type: 'boolean' } } })
if (values.help) {
  console.log('Usage: bench/cold-start.ts [--runs 15]; needs build/ (make build)')
  process.exit(0)
}

const root = join(import.meta.dirname, '..')
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const environment: Record<string, string> = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  K_SINK: 'http://127.0.0.1:1/ns/default',
  OIDC_ISSUER: 'http://127.0.0.1:1',
  OIDC_AUDIENCE: 'bench',
  OIDC_JWKS_URL: 'http://127.0.0.1:1/jwks',
  AGENTS_DIR: join(root, 'agents'),
  LLM_URL: 'http://127.0.0.1:1/v1',
  LLM_MODEL: 'bench',
  TOOL_SERVERS: '{"servicenow":"http://127.0.0.1:1/mcp"}',
  TOOL_IDENTITY_PRIVATE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })),
  SERVICENOW_URL: 'http://127.0.0.1:1',
  SERVICENOW_API_KEY: 'bench',
  SERVICENOW_LAPTOP_REFRESH_ID: 'a',
  SERVICENOW_LICENCE_ID: 'b',
  SERVICENOW_HELP_ID: 'c',
  LOG_LEVEL: 'error',
}

async function start(name: string, port: number): Promise<{ milliseconds: number; megabytes: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, [join(root, 'build/main.js')], {
    env: { ...process.env, ...environment, FUNC_STAGE: name, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
  })
  const answered = (async () => {
    for (;;) {
      const alive = await fetch(`http://127.0.0.1:${port}/health/liveness`).then(
        (response) => response.ok,
        () => false,
      )
      if (alive) return performance.now() - began
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })()
  const milliseconds = await Promise.race([answered, ended])
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
  ended.catch(() => {})
  child.kill('SIGKILL')
  return { milliseconds, megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024 }
}

const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`)
console.log('function     p50 ms   max ms   RSS MB')
for (const name of ['normalize', 'route', 'dispatch', 'keeper', 'agent', 'ingress', 'servicenow']) {
  const runs = []
  for (let run = 0; run < Number(values.runs); run += 1) {
    const [port = 0] = await findFreePorts(1)
    runs.push(await start(name, port))
  }
  const times = runs.map((run) => run.milliseconds)
  console.log(
    `${name.padEnd(12)} ${median(times).toFixed(0).padStart(6)}   ${Math.max(...times)
      .toFixed(0)
      .padStart(6)}   ${median(runs.map((run) => run.megabytes))
      .toFixed(0)
      .padStart(6)}`,
  )
}
