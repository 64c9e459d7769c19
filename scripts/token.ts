import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readKey } from '../local/issuer/key.ts'
import { issuerSettings } from '../local/issuer/settings.ts'
import { signToken } from '../local/issuer/sign.ts'
import { withRunningDemo } from '../local/platform/running-demo.ts'
import { scopes as known } from '../shared/identity/caller.ts'
import { parseEmail } from '../shared/identity/email.ts'

const usage = `Usage: token.ts EMAIL [--scope SCOPE]... [--service NAME]
Prints a bearer token of one hour for the demo, signed with its own key. With --service the address may be left out.
Scopes: ${Object.keys(known).join(', ')}`

/** Prints a token for the demo, and nothing else, on standard output. */
async function printToken(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scope: { type: 'string', multiple: true }, service: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help) return void process.stdout.write(`${usage}\n`)
  const [address, ...more] = positionals
  if (more.length > 0 || (address === undefined && values.service === undefined)) throw new Error(usage)
  const email = address === undefined ? null : parseEmail(address)
  if (address !== undefined && email === null) throw new Error(`"${address}" is not an e-mail address.`)
  if (values.service !== undefined && !/^[\w.-]{1,64}$/.test(values.service)) {
    throw new Error('--service takes letters, digits, dots, dashes and underscores, 64 at most.')
  }
  const scopes = (values.scope ?? []).flatMap((scope) => scope.split(/[ ,]+/)).filter((scope) => scope !== '')
  const unknown = scopes.find((scope) => !(scope in known))
  if (unknown !== undefined) throw new Error(`"${unknown}" is no scope; there are ${Object.keys(known).join(', ')}.`)
  const environment = await withRunningDemo(process.env, join(import.meta.dirname, '..'))
  const { folder, issuer, audience } = issuerSettings(environment)
  const key = await readKey(folder)
  if (key === null) throw new Error(`There is no key in ${folder} yet: start the demo first: make demo`)
  const token = await signToken(key, { issuer, audience, email, service: values.service, scopes, now: new Date() })
  process.stdout.write(`${token}\n`)
}

printToken().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
