import { writeSync } from 'node:fs'
import * as z from 'zod/mini'
import { parseEmail } from '../shared/identity/email.ts'
import { plainText } from './chat/plain-text.ts'
import { type Api, openApi, runScript, Trouble } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make conversations [ARGS='--show ID | --export ID | --export-all | --delete ID… | FILTERS']
Lists conversations, newest first, shows one, writes one or all of them to standard output as JSON lines, or deletes some
for good. FILTERS: --person EMAIL, --state open|closed, --agent NAME, --from MOMENT, --to MOMENT (2026-11-24T00:00:00Z).
EMAIL: as this person, who has their own alone; without it as the demo's operator, whose reading, exporting and deleting is
written down (--trail shows the newest of that). TOKEN takes the place of EMAIL, API_URL that of the demo.`

const filters = ['person', 'state', 'agent', 'from', 'to']
const conversation = z.object({
  session_id: z.string(),
  person: z.string(),
  state: z.string(),
  agent_id: z.nullable(z.string()),
  messages: z.number(),
  handoff: z.nullable(z.string()),
  created_at: z.string(),
})
const conversations = z.object({ conversations: z.array(conversation), next: z.nullable(z.string()) })
const messages = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string(), created_at: z.string() })),
  next: z.nullable(z.string()),
})
const trail = z.object({
  entries: z.array(
    z.object({
      at: z.string(),
      actor: z.string(),
      on_behalf_of: z.nullable(z.string()),
      action: z.string(),
      subject: z.string(),
    }),
  ),
})

async function main(): Promise<void> {
  const command = readCommand(usage, {
    flags: ['export-all', 'trail'],
    valued: ['show', 'export', 'delete', ...filters],
  })
  const email = parseEmail(process.env['EMAIL'] ?? '')
  const api = await openApi(
    email === null
      ? {
          email: 'operator@company.com',
          scopes: ['conversations:read', 'conversations:delete', 'audit:read'],
        }
      : { email },
  )
  const query = new URLSearchParams()
  for (const name of filters) for (const value of command.values(name)) query.set(name, value)
  const [[shown], [exported]] = [command.values('show'), command.values('export')]
  if (shown !== undefined) return show(api, shown)
  // Synchronous: a reader that takes its time (a pipe) is waited for.
  const write = (piece: string) => void writeAll(piece)
  if (exported !== undefined) return api.read(`/api/v1/conversations/${encodeURIComponent(exported)}/export`, write)
  if (command.has('export-all')) return api.read(`/api/v1/conversations/export?${query}`, write)
  if (command.has('trail')) return showTrail(api)
  for (const id of command.values('delete')) {
    await api.call(z.unknown(), `/api/v1/conversations/${encodeURIComponent(id)}`, undefined, 'DELETE')
    console.log(`${id}  deleted`)
  }
  if (command.values('delete').length === 0) await list(api, query)
}

async function list(api: Api, query: URLSearchParams): Promise<void> {
  let found = 0
  for (let path: string | null = `/api/v1/conversations?${query}`; path !== null; ) {
    const page: z.infer<typeof conversations> = await api.call(conversations, path)
    for (const one of page.conversations) {
      const who = one.handoff === null ? (one.agent_id ?? 'router') : `a person, ${one.handoff}`
      console.log(
        `${one.session_id}  ${time(one.created_at)}  ${one.state}  ${one.messages} messages  ${one.person}  ${who}`,
      )
    }
    found += page.conversations.length
    path = page.next
  }
  if (found === 0) console.log('There are none.')
}

async function show(api: Api, id: string): Promise<void> {
  for (let path: string | null = `/api/v1/conversations/${encodeURIComponent(id)}`; path !== null; ) {
    const page: z.infer<typeof messages> = await api.call(messages, path)
    for (const { role, content, created_at } of page.messages) {
      console.log(`${time(created_at)}  ${role}\n  ${plainText(content).trim().replaceAll('\n', '\n  ')}`)
    }
    path = page.next
  }
}

async function showTrail(api: Api): Promise<void> {
  const { entries } = await api.call(trail, '/api/v1/audit')
  for (const { at, actor, on_behalf_of, action, subject } of entries) {
    const whom = on_behalf_of === null ? '' : ` for ${on_behalf_of}`
    console.log(plainText(`${time(at)}  ${action}  ${actor}${whom}  ${subject}`))
  }
}

function time(text: string): string {
  return text.slice(0, 19).replace('T', ' ')
}

function writeAll(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      if (error.code === 'EPIPE') throw new Trouble('Nobody reads the rest.')
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

runScript(main)
