/**
 * The local model: a stand-in for a vLLM server where LLM_URL names none. It is NO language model but a small
 * deterministic program, and says so as "local-lexical" wherever it shows. It picks labels by likeness of words, fills
 * slots by pattern and known values, and answers with sentences of the text it is given: all from the request alone.
 * It also does wrong on demand (POST /admin/faults, header x-fault) and models a server's timing (POST /admin/config).
 *
 * Environment: PORT (8090; 0 takes a free one), HOST (127.0.0.1), and what settings.ts reads.
 */
import { startModelServer } from './server.ts'
import { readSettings } from './settings.ts'

const settings = readSettings(process.env)
const server = await startModelServer({
  settings,
  host: process.env['HOST'] || '127.0.0.1',
  port: Number(process.env['PORT'] || 8090),
  now: Date.now,
})
console.log(`${settings.model} (deterministic, no language model) at ${server.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void server.stop().then(() => process.exit(0))
  })
}
