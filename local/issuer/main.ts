import { once } from 'node:events'
import { wholeNumber } from '../../shared/settings/environment.ts'
import { employees } from '../servicenow/employees.ts'
import { openKey } from './key.ts'
import { createIssuer } from './serve.ts'
import { issuerSettings } from './settings.ts'

const settings = issuerSettings(process.env, wholeNumber(process.env, 'PORT', 8091, [0, 65_535]))
const key = await openKey(settings.folder)
let issuer = settings.issuer
const page =
  settings.client === null
    ? null
    : { client: settings.client, people: employees.filter(({ active }) => active), now: () => new Date() }
const server = createIssuer(key, () => issuer, page).listen(settings.port, process.env['HOST'] || '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const port = typeof address === 'object' && address !== null ? address.port : settings.port
if (!process.env['OIDC_ISSUER']) issuer = `http://127.0.0.1:${port}`
process.stdout.write(`${JSON.stringify({ message: 'issuer listening', port, issuer, kid: key.kid })}\n`)

function stop(): void {
  server.close()
  server.closeAllConnections()
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
