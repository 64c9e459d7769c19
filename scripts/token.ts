import { join } from 'node:path'
import { readKey } from '../local/issuer/key.ts'
import { issuerSettings } from '../local/issuer/settings.ts'
import { signToken } from '../local/issuer/sign.ts'
import { withRunningDemo } from '../local/platform/running-demo.ts'
import { scopes as known } from '../shared/identity/caller.ts'
import { parseEmail } from '../shared/identity/email.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make token EMAIL=… [ARGS="[--scope SCOPE]... [--service NAME]"]
Prints a bearer token of one hour for the demo, signed with its own key, and nothing else. With --service it is the
token of a program of that name, and the address may be left out.
Scopes: ${Object.keys(known).join(', ')}`

/** Prints a token for the demo, and nothing else, on standard output. */
async function printToken(): Promise<void> {
  const command = readCommand(usage, { valued: ['scope', 'service'], positionals: 1 })
  const [address] = command.positionals
  const service = command.values('service').at(-1)
  if (address === undefined && service === undefined) throw new Error(usage)
  const email = address === undefined ? null : parseEmail(address)
  if (address !== undefined && email === null) throw new Error(`"${address}" is not an e-mail address.`)
  if (service !== undefined && !/^[\w.-]{1,64}$/.test(service)) {
    throw new Error('--service takes letters, digits, dots, dashes and underscores, 64 at most.')
  }
  const scopes = command
    .values('scope')
    .flatMap((scope) => scope.split(/[ ,]+/))
    .filter((scope) => scope !== '')
  const unknown = scopes.find((scope) => !(scope in known))
  if (unknown !== undefined) throw new Error(`"${unknown}" is no scope; there are ${Object.keys(known).join(', ')}.`)
  const environment = await withRunningDemo(process.env, join(import.meta.dirname, '..'))
  const { folder, issuer, audience } = issuerSettings(environment)
  const key = await readKey(folder)
  if (key === null) throw new Error(`There is no key in ${folder} yet: start the demo first: make demo`)
  const token = await signToken(key, { issuer, audience, email, service, scopes, now: new Date() })
  process.stdout.write(`${token}\n`)
}

printToken().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
