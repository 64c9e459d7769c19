import { afterEach, expect, test } from 'vitest'
import { startModelServer } from '../../local/model/server.ts'
import { defaults, type Settings } from '../../local/model/settings.ts'
import { misbehave } from './misbehaving-server.ts'
import { probeModel } from './probe-model.ts'

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()))
})

async function serving(settings: Partial<Settings> = {}) {
  const server = await startModelServer({
    settings: { ...defaults, ...settings },
    host: '127.0.0.1',
    port: 0,
    now: Date.now,
  })
  running.push(server.stop)
  return server
}

async function sentence(endpoint: {
  url: string
  model?: string
  apiKey?: string
  timeoutMs?: number
}): Promise<string> {
  const probe = await probeModel({ model: defaults.model, apiKey: '', ...endpoint }, new AbortController().signal)
  if (probe.ok) return expect.fail('the probe found it fit')
  expect(probe.sentence).toMatch(/^\S.*[.]$/)
  expect(probe.sentence.length).toBeLessThan(400)
  return probe.sentence
}

test('nobody at the address', async () => {
  const server = await serving()
  await running.pop()?.()
  expect(await sentence({ url: server.url })).toMatch(
    /Nothing usable answers at http:\/\/127\.0\.0\.1:\d+\/v1: .*ECONNREFUSED/,
  )
})

test('no URL at all, and a password in it that is not shown', async () => {
  expect(await sentence({ url: 'localhost' })).toContain('LLM_URL is not a URL')
  const server = await serving()
  await running.pop()?.()
  const said = await sentence({ url: server.url.replace('http://', 'http://me:hunter2@') })
  expect(said).toContain('LLM_API_KEY')
  expect(said).not.toContain('hunter2')
})

test('a model that is not served: the ones that are get named', async () => {
  const { url } = await serving({ model: 'one-that-is-there' })
  expect(await sentence({ url, model: 'another' })).toContain(
    'does not serve model "another"; it serves "one-that-is-there"',
  )
})

test('a path that is no API', async () => {
  const { url } = await serving()
  expect(await sentence({ url: url.replace('/v1', '/api') })).toContain('usually ends in /v1')
})

test('a key that is refused, and one that is missing', async () => {
  const { url } = await serving({ apiKey: 'right' })
  expect(await sentence({ url, apiKey: 'wrong' })).toContain('refuses the key')
  expect(await sentence({ url, apiKey: '' })).toContain('was given none')
  expect(await probeModel({ url, model: defaults.model, apiKey: 'right' }, new AbortController().signal)).toMatchObject(
    { ok: true },
  )
})

test('a server that is loading, one that never answers, and one without structured output', async () => {
  const { url } = await serving()
  const admin = async (kind: string) => {
    await fetch(new URL('/admin/faults', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind, next: 'all' }),
    })
  }
  await admin('loading')
  expect(await sentence({ url })).toContain('still loading')
  await admin('hang')
  expect(await sentence({ url, timeoutMs: 100 })).toContain('did not answer in time')
  await admin('malformed-json')
  expect(await sentence({ url })).toContain('structured output')
})

test('a web page', async () => {
  const { url, stop } = await misbehave((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works</h1>')
  })
  running.push(stop)
  expect(await sentence({ url })).toContain('not with a chat completion')
})
