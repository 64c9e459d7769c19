import * as z from 'zod/mini'
import { dataSchemas, type EventType, eventNotes } from '../../shared/events/catalogue.ts'

/** docs/events.md, from the catalogue of event types and their schemas. */
export function writeEventsPage(): string {
  const types = Object.keys(dataSchemas) as EventType[]
  return `# Events

Written from \`shared/events/catalogue.ts\` by \`npm run docs:write\`.

Every event is a CloudEvent 1.0 with these attributes, all printable ASCII:

| attribute | what it holds |
| --- | --- |
| \`id\` | a UUID that follows from the event's cause: the same cause gives the same id, on every machine |
| \`source\` | the function that sent it, such as \`/route\` |
| \`subject\`, \`partitionkey\` | the session's id; for request.created the channel and the address |
| \`correlationid\` | the request's id, from the door to the last delivery |
| \`traceparent\` | W3C Trace Context |
| \`hops\` | how many events led here since the chain began |

**Events carry no authority.** They name a session, a turn and a step; a stage acts only if Postgres agrees.

${types.map(describe).join('\n')}`
}

function describe(type: EventType): string {
  const note = eventNotes[type]
  const schema = z.toJSONSchema(dataSchemas[type])
  const required = new Set(schema.required ?? [])
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const of = typeof property === 'object' ? shape(property) : 'anything'
    return `| \`${name}\` | ${of} | ${required.has(name) ? 'yes' : 'no'} |`
  })
  return `## \`${type}\`

${note.from} → ${note.to}. ${note.meaning}

| data | type | required |
| --- | --- | --- |
${rows.join('\n')}
`
}

function shape(property: z.core.JSONSchema.JSONSchema): string {
  if (property.enum) return property.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (property.type === 'array') return 'list'
  return property.format ? `${property.type ?? ''} (${property.format})` : String(property.type ?? 'anything')
}
