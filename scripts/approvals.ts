import * as z from 'zod/mini'
import { parseEmail } from '../shared/identity/email.ts'
import { plainText } from './chat/plain-text.ts'
import { openApi, runScript, Trouble } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make approvals EMAIL=… [ARGS='--approve ID | --decline ID']
Lists what waits for this person's decision on other people's requests, or decides one of them. TOKEN takes the place of
EMAIL, API_URL that of the demo.`

const approvals = z.object({
  approvals: z.array(z.object({ id: z.string(), requester: z.string(), question: z.string(), expires_at: z.string() })),
})
const decided = z.object({ state: z.string() })

async function main(): Promise<void> {
  const command = readCommand(usage, { valued: ['approve', 'decline'] })
  const email = parseEmail(process.env['EMAIL'] ?? '')
  if (email === null && !process.env['TOKEN']) throw new Trouble('Say who decides: EMAIL=jane.smith@company.com')
  const api = await openApi({ email: email ?? '' })
  const [[approve], [decline]] = [command.values('approve'), command.values('decline')]
  const id = approve ?? decline
  if (id !== undefined) {
    const decision = approve === undefined ? 'decline' : 'approve'
    const { state } = await api.call(decided, `/api/v1/approvals/${encodeURIComponent(id)}`, { decision })
    console.log(state)
    return
  }
  const { approvals: open } = await api.call(approvals, '/api/v1/approvals')
  if (open.length === 0) console.log('Nothing waits for a decision.')
  for (const { id, question, expires_at } of open) {
    console.log(
      `${id}  until ${expires_at.slice(0, 16).replace('T', ' ')}\n  ${plainText(question).trim().replaceAll('\n', '\n  ')}`,
    )
  }
}

runScript(main)
