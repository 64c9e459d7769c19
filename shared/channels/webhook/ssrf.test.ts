import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pin } from './pin.ts'
import { readNetworks } from './public-address.ts'
import { readWebhookSettings } from './settings.ts'
import { readTarget } from './target.ts'
import { publicTargets, ssrfTargets, type Target } from './testing/ssrf-targets.ts'

const rulesOf = (more: Record<string, string> = {}) => {
  const settings = readWebhookSettings({ WEBHOOK_SIGNING_KEY: 'x'.repeat(32), ...more })
  if (settings === null) throw new Error('no settings')
  return settings.rules
}
/** Nothing but the address is left to be judged. */
const lax = rulesOf({ WEBHOOK_HTTP: 'true', WEBHOOK_PORTS: '*' })

/** Where a target is stopped; the addresses that it would be connected to where it is not. */
async function tryOne({ url: text, resolves = [[]] }: Target, rules = rulesOf()): Promise<string> {
  const { url, refusal } = readTarget(text, rules)
  if (url === null) return `registration: ${refusal}`
  const answers = [...resolves]
  try {
    const addresses = await pin(url, rules, async () => answers.shift() ?? [])
    return `let in: ${addresses.join(' ')}`
  } catch (error) {
    return `delivery: ${(error as Error).message}`
  }
}

test('no target inside is let in', async () => {
  const tried = await Promise.all(ssrfTargets.map(async (target) => ({ target, end: await tryOne(target) })))
  const letIn = tried.filter(({ end }) => end.startsWith('let in'))
  expect(letIn).toEqual([])
  expect(tried.length).toBeGreaterThanOrEqual(40)
  const report = { tried: tried.length, letIn: letIn.length }
  const reports = join(import.meta.dirname, '../../../reports')
  await mkdir(reports, { recursive: true })
  await writeFile(join(reports, 'abuse-webhook.json'), `${JSON.stringify(report, null, 2)}\n`)
})

test('nor where http and every port are allowed', async () => {
  const byForm = new Set([
    'http://hooks.example.com/',
    'https://hooks.example.com:22/',
    'https://hooks.example.com:5432/',
  ])
  byForm.add('https://hooks.example.com:80/')
  for (const target of ssrfTargets) {
    if (byForm.has(target.url)) continue
    expect(await tryOne(target, lax), target.url).not.toMatch(/^let in/)
  }
})

test.each(publicTargets)('a receiver outside is let in: $url', async (target) => {
  expect(await tryOne(target)).toMatch(/^let in: [\d.a-f: ]+$/)
})

test('a name that is rebound is judged by the one answer that is connected to', async () => {
  const url = new URL('https://hooks.example.com/')
  let asked = 0
  const rebinding = async () => {
    asked += 1
    return [asked === 1 ? '93.184.215.14' : '127.0.0.1']
  }
  expect(await pin(url, rulesOf(), rebinding)).toEqual(['93.184.215.14'])
  expect(asked).toBe(1)
  await expect(pin(url, rulesOf(), rebinding)).rejects.toMatchObject({ code: 'delivery.refused' })
})

test('a name that cannot be resolved is tried again', async () => {
  const url = new URL('https://hooks.example.com/')
  const failing = () => Promise.reject(new Error('EAI_AGAIN'))
  await expect(pin(url, rulesOf(), failing)).rejects.toMatchObject({ code: 'delivery.unavailable' })
  await expect(pin(url, rulesOf(), async () => [])).rejects.toMatchObject({ code: 'delivery.unavailable' })
})

test('a network that is allowed is, and the keys of clouds never are', async () => {
  const rules = { ...rulesOf(), networks: readNetworks('10.1.0.0/16, 169.254.0.0/16 fe80::/10,100.64.0.0/10') }
  expect(await tryOne({ url: 'https://10.1.2.3/' }, rules)).toMatch(/^let in/)
  expect(await tryOne({ url: 'https://hooks/', resolves: [['10.1.2.3']] }, rules)).toMatch(/^let in/)
  for (const url of ['10.2.0.1', '169.254.169.254', '[fe80::1]', '100.100.100.200', '[::ffff:10.1.2.3]']) {
    expect(await tryOne({ url: `https://${url}/` }, rules), url).not.toMatch(/^let in/)
  }
})

test.each([
  [{ WEBHOOK_SIGNING_KEY: 'short' }, /too short/],
  [{ WEBHOOK_HTTP: 'yes' }, /WEBHOOK_HTTP is "yes"/],
  [{ WEBHOOK_PORTS: '443,0' }, /WEBHOOK_PORTS is "443,0"/],
  [{ WEBHOOK_NETWORKS: '10.0.0.0' }, /"10.0.0.0" is no network/],
])('settings with a fault say which: %j', (more, message) => {
  expect(() => rulesOf(more)).toThrow(message)
})

test('without a key nothing is pushed', () => {
  expect(readWebhookSettings({ WEBHOOK_HTTP: 'nonsense' })).toBeNull()
})
