import * as z from 'zod/mini'
import { parseEmail } from '../shared/identity/email.ts'
import { plainText } from './chat/plain-text.ts'
import { openApi, runScript } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make dead-letters [ARGS='--show ID | --redrive ID… | --discard ID… | --redrive-all | --state STATE']
Lists the events that were given up, oldest first (--state: stored, redriven or discarded), shows one, or treats some.
Redriving the words of a turn that was closed sends them again as a new message of that conversation; it confirms
nothing. EMAIL says which operator you are, TOKEN takes its place, API_URL that of the demo.`

const letter = z.object({
  id: z.string(),
  event_type: z.string(),
  failed_at: z.nullable(z.string()),
  error_code: z.nullable(z.number()),
  error_data: z.nullable(z.string()),
  outcome: z.string(),
  state: z.string(),
  received_at: z.string(),
})
const letters = z.object({ dead_letters: z.array(letter), next: z.nullable(z.string()) })
const treated = z.object({
  dead_letters: z.array(z.object({ id: z.string(), result: z.string(), request_id: z.nullable(z.string()) })),
})

async function main(): Promise<void> {
  const command = readCommand(usage, { flags: ['redrive-all'], valued: ['show', 'redrive', 'discard', 'state'] })
  const email = parseEmail(process.env['EMAIL'] ?? '') ?? 'operator@company.com'
  const api = await openApi({ email, scopes: ['dead-letters:manage'] })
  const list = async (state: string): Promise<z.infer<typeof letter>[]> => {
    const all = []
    for (let path: string | null = `/api/v1/dead-letters?state=${encodeURIComponent(state)}`; path !== null; ) {
      const page: z.infer<typeof letters> = await api.call(letters, path)
      all.push(...page.dead_letters)
      path = page.next
    }
    return all
  }
  const treat = async (action: 'redrive' | 'discard', ids: string[]): Promise<void> => {
    for (let at = 0; at < ids.length; at += 100) {
      const { dead_letters } = await api.call(treated, '/api/v1/dead-letters', { action, ids: ids.slice(at, at + 100) })
      for (const { id, result, request_id } of dead_letters) {
        console.log(`${id}  ${result}${request_id === null ? '' : ` as request ${request_id}`}`)
      }
    }
  }

  const [shown] = command.values('show')
  if (shown !== undefined) {
    const found = await api.call(z.looseObject({}), `/api/v1/dead-letters/${encodeURIComponent(shown)}`)
    console.log(plainText(JSON.stringify(found, null, 2)))
    return
  }
  if (command.has('redrive-all'))
    return treat(
      'redrive',
      (await list('stored')).map(({ id }) => id),
    )
  for (const action of ['redrive', 'discard'] as const) {
    if (command.values(action).length > 0) return treat(action, command.values(action))
  }
  const found = await list(command.values('state')[0] ?? 'stored')
  if (found.length === 0) console.log('There are none.')
  for (const one of found) {
    const time = one.received_at.slice(0, 19).replace('T', ' ')
    const cause = plainText(`${one.error_code ?? ''} ${one.error_data ?? ''}`)
      .trim()
      .replaceAll('\n', ' ')
      .slice(0, 160)
    console.log(
      `${one.id}  ${time}  ${one.event_type.split('.').slice(-2).join('.')}  ${one.outcome}\n  ${one.failed_at ?? ''} ${cause}`,
    )
  }
}

runScript(main)
