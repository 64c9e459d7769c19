import { answer, inQuery, type Json, outputOf, page, pathId, problems } from './openapi-parts.ts'
import { audit, conversations, handoffs, listedConversation, releasedHandoff } from './records-bodies.ts'
import type { RecordsRoute } from './records-routes.ts'

const moments = [
  inQuery('from', 'Not before this moment: ISO 8601 with a time zone'),
  inQuery('to', 'Before this moment'),
]
const filters = [
  inQuery('person', 'E-mail address of the person whose they are; your own unless told with the scope'),
  { name: 'state', in: 'query', schema: { enum: ['open', 'closed'] } },
  inQuery('agent', 'Which agent they stand at'),
  ...moments,
]
const after = inQuery('after', 'From `next` of the page before')
const lines = {
  200: {
    description: 'One object a line: each of type `conversation` is followed by its own of type `message`',
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  },
}

/** The schemas of what is kept of conversations. */
export function recordsSchemas(): Json {
  return {
    conversations: outputOf(conversations),
    'listed-conversation': outputOf(listedConversation),
    handoffs: outputOf(handoffs),
    'released-handoff': outputOf(releasedHandoff),
    audit: outputOf(audit),
  }
}

/** The parameters and answers of a route to it. */
export function describeRecordsCall({ kind }: RecordsRoute): Json {
  const refused = { ...problems([401, 503]) }
  switch (kind) {
    case 'conversations':
      return {
        parameters: [...filters, after, page('limit', 'At most', 50)],
        responses: { 200: answer('Newest first', 'conversations'), ...problems([400, 403]), ...refused },
      }
    case 'export-conversations':
      return { parameters: filters, responses: { ...lines, ...problems([400, 403]), ...refused } }
    case 'export-conversation':
      return { parameters: [pathId], responses: { ...lines, ...problems([404]), ...refused } }
    case 'delete-conversation':
      return {
        parameters: [pathId],
        responses: { 204: { description: 'It is gone' }, ...problems([404, 409]), ...refused },
      }
    case 'handoffs':
      return {
        parameters: [
          { name: 'state', in: 'query', schema: { enum: ['open', 'released'], default: 'open' } },
          ...[after, page('limit', 'At most', 100)],
        ],
        responses: { 200: answer('Oldest first', 'handoffs'), ...problems([400, 403]), ...refused },
      }
    case 'release-handoff':
      return {
        parameters: [pathId],
        responses: { 200: answer('The agent has it', 'released-handoff'), ...problems([403, 404]), ...refused },
      }
    case 'audit':
      return {
        parameters: [
          inQuery('actor', 'Who did it: an address, or the subject of a program'),
          inQuery('on_behalf_of', 'For whom'),
          inQuery('action', 'What, such as `ticket.filed`'),
          inQuery('subject', 'What it was done to, by its id'),
          ...[...moments, after, page('limit', 'At most', 100)],
        ],
        responses: { 200: answer('Newest first', 'audit'), ...problems([400, 403]), ...refused },
      }
  }
}
