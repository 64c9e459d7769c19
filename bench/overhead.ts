import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { readKey } from '../local/issuer/key.ts'
import { issuerSettings } from '../local/issuer/settings.ts'
import { signToken } from '../local/issuer/sign.ts'

/**
 * What a turn costs outside the model: POST to answer, one at a time, against a running demo. The message is answered
 * by a flow with one model step (the local model answers at once), through every stage, the broker and Postgres.
 */
const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '200' },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    message: { type: 'string', default: 'my old computer keeps freezing on me' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(
    'Usage: bench/overhead.ts [--turns 200] [--url http://127.0.0.1:8080] [--message TEXT]; needs a running demo',
  )
  process.exit(0)
}

const key = await readKey(issuerSettings(process.env).folder)
if (key === null) throw new Error('Start the demo first: make demo')
const { issuer, audience } = issuerSettings(process.env)

async function turn(email: string, content: string): Promise<number> {
  const started = performance.now()
  const response = await fetch(`${values.url}/api/v1/requests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(email)}` },
    body: JSON.stringify({ content }),
  })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${body.slice(0, 200)}`)
  return performance.now() - started
}

const tokens = new Map<string, string>()
async function tokenOf(email: string): Promise<string> {
  const known = tokens.get(email)
  if (known !== undefined) return known
  if (key === null) throw new Error('no key')
  const token = await signToken(key, { issuer, audience, email, now: new Date() })
  tokens.set(email, token)
  return token
}

const times: number[] = []
const total = Number(values.turns)
for (let index = 0; index < total + 20; index += 1) {
  const email = `bench-${index % 20}@company.com`
  await turn(email, 'reset')
  const time = await turn(email, values.message)
  if (index >= 20) times.push(time)
}
times.sort((a, b) => a - b)
const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`)
console.log(`turns: ${times.length}  p50 ${at(0.5)} ms  p90 ${at(0.9)} ms  p99 ${at(0.99)} ms`)
