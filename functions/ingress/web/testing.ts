import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IssuerKey, openKey } from '../../../local/issuer/key.ts'
import { createIssuer } from '../../../local/issuer/serve.ts'
import { openKeys, verifyIdToken } from '../../../shared/identity/verify.ts'
import { createLog } from '../../../shared/telemetry/log.ts'
import { readWebSettings, type WebSettings } from './settings.ts'
import type { SignInParts } from './sign-in.ts'

export const origin = 'https://agent.example.com'

/** The page's side of a sign-in, with the demo's issuer as the other. */
export interface TestSignIn {
  settings: WebSettings
  parts: SignInParts
  issuer: string
  key: IssuerKey
  lines: string[]
  /** Milliseconds that the page's clock is ahead. */
  ahead: number
  /** What somebody who picks `email` at the issuer brings back: its path and query. */
  pick(location: string, email: string): Promise<URL>
  close(): Promise<void>
}

export async function openTestSignIn(): Promise<TestSignIn> {
  const folder = await mkdtemp(join(tmpdir(), 'sign-in-'))
  await mkdir(join(folder, 'web/assets'), { recursive: true })
  await writeFile(join(folder, 'web/index.html'), '<!doctype html><title>page</title>')
  for (const name of ['link', 'settings'])
    await writeFile(join(folder, `web/${name}.html`), '<!doctype html><title>x</title>')
  await writeFile(join(folder, 'web/assets/script-0.js'), 'export {}\n'.repeat(100))
  const key = await openKey(folder)
  let issuer = ''
  const client = { id: 'the-page', redirectUri: `${origin}/sign-in/callback` }
  const people = [
    { name: 'Alice', email: 'alice@example.com', location: 'EMEA' },
    { name: 'Nobody', email: 'not an address', location: 'EMEA' },
  ]
  const server = createIssuer(key, () => issuer, { client, people, now: () => new Date() })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = readWebSettings(
    {
      WEB_URL: origin,
      WEB_SESSION_KEY: randomBytes(32).toString('base64'),
      WEB_CLIENT_ID: client.id,
      WEB_DIR: join(folder, 'web'),
    },
    issuer,
  )
  if (settings === null) throw new Error('the page has no settings')
  const keys = openKeys({ keys: [key.publicJwk] })
  const lines: string[] = []
  const now = () => new Date(Date.now() + made.ahead)
  const made: TestSignIn = {
    ...{ settings, issuer, key, lines, ahead: 0 },
    parts: {
      ...{ settings, fetch, now, randomBytes },
      verify: (token, expected) => verifyIdToken(token, { issuer, keys, now, ...expected }),
      log: createLog({}, { write: (line) => void lines.push(line) }),
    },
    async pick(location, email) {
      const form = new URLSearchParams(new URL(location).search)
      form.set('as', email)
      const response = await fetch(`${issuer}/authorize`, {
        method: 'POST',
        headers: { origin: issuer },
        body: form,
        redirect: 'manual',
      })
      return new URL(response.headers.get('location') ?? `no location: ${response.status}`)
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await rm(folder, { recursive: true })
    },
  }
  return made
}

/** What a browser would send back of these. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0] ?? '')
    .filter((cookie) => !cookie.endsWith('='))
    .join('; ')
}
