import * as z from 'zod/mini'
import { parseEmail } from '../shared/identity/email.ts'
import { openApi, runScript } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make handoffs [ARGS='--release ID… | --state STATE']
Lists the conversations that a person has, oldest first (--state: open or released), or gives some back to the agent; their
tickets stay as they are. EMAIL says which operator you are, TOKEN takes its place, API_URL that of the demo.`

const handoffs = z.object({
  handoffs: z.array(
    z.object({
      id: z.string(),
      person: z.string(),
      ticket: z.string(),
      why: z.string(),
      opened_at: z.string(),
      released_by: z.nullable(z.string()),
    }),
  ),
  next: z.nullable(z.string()),
})
const released = z.object({ id: z.string(), result: z.string() })

async function main(): Promise<void> {
  const command = readCommand(usage, { valued: ['release', 'state'] })
  const email = parseEmail(process.env['EMAIL'] ?? '') ?? 'operator@company.com'
  const api = await openApi({ email, scopes: ['handoffs:manage'] })
  const ids = command.values('release')
  for (const id of ids) {
    const { result } = await api.call(released, `/api/v1/handoffs/${encodeURIComponent(id)}/release`, {})
    console.log(`${id}  ${result}`)
  }
  if (ids.length > 0) return
  let found = 0
  const state = command.values('state')[0] ?? 'open'
  for (let path: string | null = `/api/v1/handoffs?state=${encodeURIComponent(state)}`; path !== null; ) {
    const page: z.infer<typeof handoffs> = await api.call(handoffs, path)
    for (const { id, person, ticket, why, opened_at, released_by } of page.handoffs) {
      const end = released_by === null ? '' : `  released by ${released_by}`
      console.log(`${id}  ${opened_at.slice(0, 19).replace('T', ' ')}  ${ticket}  ${person}  ${why}${end}`)
    }
    found += page.handoffs.length
    path = page.next
  }
  if (found === 0) console.log('There are none.')
}

runScript(main)
