import * as z from 'zod/mini'
import { parseEmail } from '../shared/identity/email.ts'
import { openApi, runScript, Trouble } from './command-line/api.ts'
import { type Command, readCommand } from './command-line/read-command.ts'

const usage = `Usage: make api-keys [ARGS='--create NAME [--scope SCOPE…] [--days N] | --rotate ID [--days N] [--overlap-hours N] | --revoke ID']
Lists the API keys of programs, or creates, rotates or revokes one. A new key is printed alone on standard output, and
shown this once: make api-keys ARGS='--create hr --scope requests:act-for-others' > hr.key
NAME is the program's: several keys of one name are one caller. A key lasts 365 days unless --days says otherwise; after
--rotate the old secret is taken for 24 hours more unless --overlap-hours says otherwise. Nobody gives a scope that they
lack. EMAIL says which operator you are, TOKEN takes its place (it needs the scope api-keys:manage), API_URL that of the demo.`

const key = z.object({
  id: z.string(),
  prefix: z.string(),
  subject: z.string(),
  scopes: z.array(z.string()),
  created_by: z.string(),
  expires_at: z.string(),
  revoked_at: z.nullable(z.string()),
  last_used_at: z.nullable(z.string()),
})
const keys = z.object({ api_keys: z.array(key) })
const made = z.extend(key, { key: z.string() })
const path = '/api/v1/api-keys'

async function main(): Promise<void> {
  const valued = ['create', 'rotate', 'revoke', 'scope', 'days', 'overlap-hours']
  const command = readCommand(usage, { valued })
  const [create, rotate, revoke] = ['create', 'rotate', 'revoke'].map((name) => command.values(name)[0])
  if ([create, rotate, revoke].filter((one) => one !== undefined).length > 1) {
    throw new Trouble('One thing at a time: --create, --rotate or --revoke.')
  }
  const email = parseEmail(process.env['EMAIL'] ?? '') ?? 'operator@company.com'
  // The demo's operator may give whatever programs need; with a TOKEN its own scopes count.
  const api = await openApi({ email, scopes: ['api-keys:manage', 'requests:act-for-others', 'conversations:read'] })
  const days = wholeOf(command, 'days')
  if (create !== undefined) {
    return show(await api.call(made, path, { name: create, scopes: command.values('scope'), ...(days && { days }) }))
  }
  if (rotate !== undefined) {
    const overlap = wholeOf(command, 'overlap-hours')
    const body = { ...(days && { days }), ...(overlap !== undefined && { overlap_hours: overlap }) }
    return show(await api.call(made, `${path}/${encodeURIComponent(rotate)}/secret`, body))
  }
  if (revoke !== undefined) {
    await api.call(z.null(), `${path}/${encodeURIComponent(revoke)}`, undefined, 'DELETE')
    return console.error(`Revoked ${revoke}: it is refused from now on.`)
  }
  const { api_keys } = await api.call(keys, path)
  if (api_keys.length === 0) console.log('There are none.')
  for (const one of api_keys) {
    const state = one.revoked_at === null ? `until ${day(one.expires_at)}` : `revoked ${day(one.revoked_at)}`
    const used = one.last_used_at === null ? 'never used' : `used ${one.last_used_at.slice(0, 16).replace('T', ' ')}`
    console.log(`${one.id}  ${one.subject}  ${state}  ${used}  by ${one.created_by}  ${one.scopes.join(' ')}`)
  }
}

/** What is to be kept goes to standard output alone, and what is to be read beside it. */
function show(one: z.infer<typeof made>): void {
  console.error(`${one.id}, ${one.subject}, until ${day(one.expires_at)}. The key is shown this once:`)
  console.log(one.key)
}

function wholeOf(command: Command, name: string): number | undefined {
  const [text] = command.values(name)
  if (text === undefined) return undefined
  if (!/^\d{1,4}$/.test(text)) throw new Trouble(`--${name} takes a whole number.`)
  return Number(text)
}

function day(time: string): string {
  return time.slice(0, 10)
}

runScript(main)
