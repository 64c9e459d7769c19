import { plainText } from '../flow/plain-text.ts'
import type { Sql } from './connect.ts'

/** What of a conversation goes to the person who takes it over: its last messages, and characters of one and of all. */
const most = { messages: 20, ofOne: 600, ofAll: 6_000, slots: 1_000 }

const speakers = { employee: 'Employee', approver: 'Approver', agent: 'Agent', system: 'System' } as const

interface Row {
  role: keyof typeof speakers
  content: string
  created_at: Date
}

/**
 * The end of the conversation in which an approval of this person's was given, and what the agent had found out in it, as
 * plain lines for a ticket. Empty where there is no such approval. A line holds no markup and nothing unseen.
 */
export async function readTranscript(sql: Sql, approval: string, email: string): Promise<string> {
  const [asked] = await sql<{ session: string; slots: Record<string, unknown> | null }[]>`
    select a.session, coalesce(t.flow, s.flow) -> 'slots' as slots
    from approvals a join sessions s on s.id = a.session join people p on p.id = s.person
      left join turns t on t.id = a.turn
    where a.id = ${approval} and p.email = ${email}`
  if (asked === undefined) return ''
  const newestFirst = await sql<Row[]>`
    select role, content, created_at from messages where session = ${asked.session} and state <> 'queued'
    order by number desc limit ${most.messages}`
  const lines: string[] = []
  let room = most.ofAll
  for (const { role, content, created_at } of newestFirst) {
    const time = created_at.toISOString().slice(0, 16).replace('T', ' ')
    const line = `${time} ${speakers[role]}: ${cut(plainText(content), most.ofOne)}`
    room -= line.length + 1
    if (room < 0) break
    lines.unshift(line)
  }
  const known = Object.entries(asked.slots ?? {}).flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`${name}: ${cut(plainText(String(value)), most.slots)}`],
  )
  return [...lines, ...(known.length > 0 ? ['', `Known: ${cut(known.join(', '), most.slots)}`] : [])].join('\n')
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
