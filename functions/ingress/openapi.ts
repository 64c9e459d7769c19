import * as z from 'zod/mini'
import { mediaTypes } from '../../shared/attachments/media-types.ts'
import { scopes } from '../../shared/identity/caller.ts'
import {
  accepted,
  approvals,
  awaited,
  bodies,
  conversation,
  deadLetterAction,
  deadLetters,
  decided,
  decision,
  finished,
  problem,
  shownDeadLetter,
  takenAttachment,
  treated,
} from './bodies.ts'
import { type AskRoute, type Route, routes, type Who } from './routes.ts'

type Json = Record<string, unknown>

const needs: Record<Who, string> = {
  anyone: 'No token is needed.',
  caller: 'Any valid token.',
  service: 'A token with the scope `service`.',
  'dead-letters:manage': 'A token with the scope `dead-letters:manage`.',
}

/** The OpenAPI 3.1 document of this function, made from the table of routes and the schemas that the code parses with. */
export function describeApi(): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Self-service agent', version: '1', description: describeScopes() },
    // A route without a word on security needs a token, too.
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...Object.fromEntries(Object.entries(bodies).map(([name, schema]) => [`${name}-request`, inputOf(schema)])),
        finished: outputOf(finished),
        accepted: outputOf(accepted),
        conversation: outputOf(conversation),
        attachment: outputOf(takenAttachment),
        approvals: outputOf(approvals),
        awaited: outputOf(awaited),
        decision: inputOf(decision),
        decided: outputOf(decided),
        'dead-letters': outputOf(deadLetters),
        'dead-letter': outputOf(shownDeadLetter),
        'dead-letter-action': inputOf(deadLetterAction),
        treated: outputOf(treated),
        problem: outputOf(problem),
      },
    },
  }
}

function describeScopes(): string {
  const lines = Object.entries(scopes).map(([scope, meaning]) => `\`${scope}\`: ${meaning}`)
  return `Scopes of the bearer token. ${lines.join(' ')}`
}

function describeRoute(route: Route): Json {
  return {
    summary: route.summary,
    description: needs[route.who],
    security: route.who === 'anyone' ? [] : [{ bearer: [] }],
    ...describeCall(route),
  }
}

function describeCall(route: Route): Json {
  const refused = { ...problems([401, 503]) }
  switch (route.kind) {
    case 'ask':
      return {
        parameters: [prefer('60 unless told'), idempotencyKey, traceparent],
        requestBody: { required: true, content: { 'application/json': { schema: bodyOf(route) } } },
        responses: { ...outcome, ...problems([400, 403, 413, 415, 422]), ...refused },
      }
    case 'request':
      return {
        parameters: [pathId, prefer('0 unless told')],
        responses: { ...outcome, ...problems([404]), ...refused },
      }
    case 'conversation':
      return {
        parameters: [
          pathId,
          page('after', 'The number of the last message already read', 0),
          page('limit', 'At most', 200),
        ],
        responses: { 200: answer('Its messages', 'conversation'), ...problems([400, 404]), ...refused },
      }
    case 'attach':
      return {
        parameters: [
          inQuery('name', "The file's name, where no Content-Disposition says it"),
          inQuery('user_id', 'E-mail address of the person whose file it is; the scope is that of asking for others'),
        ],
        requestBody: {
          required: true,
          content: Object.fromEntries(
            mediaTypes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
          ),
        },
        responses: {
          201: answer('It is kept, until its end or its person is deleted', 'attachment'),
          ...problems([400, 403, 411, 413, 415, 501]),
          ...refused,
        },
      }
    case 'attachment':
      return {
        parameters: [pathId],
        responses: {
          200: { description: 'The file', content: { '*/*': { schema: { type: 'string', format: 'binary' } } } },
          ...problems([404, 410, 501]),
          ...refused,
        },
      }
    case 'approvals':
      return { responses: { 200: answer('The oldest first', 'approvals'), ...problems([403]), ...refused } }
    case 'awaited':
      return { responses: { 200: answer('The newest first', 'awaited'), ...problems([403]), ...refused } }
    case 'decide':
      return {
        parameters: [pathId],
        requestBody: { required: true, content: { 'application/json': { schema: reference('decision') } } },
        responses: { 200: answer('It counts', 'decided'), ...problems([400, 403, 404, 409, 413, 415]), ...refused },
      }
    case 'dead-letters':
      return {
        parameters: [
          { name: 'state', in: 'query', schema: { enum: ['stored', 'redriven', 'discarded'], default: 'stored' } },
          { name: 'after', in: 'query', description: 'The last one already read', schema: pathId.schema },
          page('limit', 'At most', 100),
        ],
        responses: { 200: answer('Oldest first', 'dead-letters'), ...problems([400, 403]), ...refused },
      }
    case 'dead-letter':
      return {
        parameters: [pathId],
        responses: { 200: answer('The dead letter', 'dead-letter'), ...problems([403, 404]), ...refused },
      }
    case 'treat':
      return {
        requestBody: { required: true, content: { 'application/json': { schema: reference('dead-letter-action') } } },
        responses: { 200: answer('What became of each', 'treated'), ...problems([400, 403, 413, 415]), ...refused },
      }
    case 'document':
      return { responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: {} } } } } }
    case 'host':
      return { responses: { 200: { description: 'Yes' }, ...problems([503]) } }
  }
}

const outcome = {
  200: answer('The answer', 'finished'),
  202: {
    ...answer('Accepted and not yet answered: ask again at Location', 'accepted'),
    headers: { location: { schema: { type: 'string' } }, 'retry-after': { schema: { type: 'integer' } } },
  },
}

const pathId = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same caller, key and body give the same request and its answer; another body is refused with 422.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
}

const traceparent = {
  name: 'traceparent',
  in: 'header',
  description: 'W3C trace context, carried through every stage.',
  schema: { type: 'string' },
}

function prefer(byDefault: string): Json {
  return {
    name: 'Prefer',
    in: 'header',
    description: `RFC 7240: \`wait=N\` waits at most N seconds (60 at most, ${byDefault}); \`respond-async\` does not wait.`,
    schema: { type: 'string' },
  }
}

function inQuery(name: string, description: string): Json {
  return { name, in: 'query', description, schema: { type: 'string' } }
}

function page(name: string, description: string, byDefault: number): Json {
  return { name, in: 'query', description, schema: { type: 'integer', default: byDefault } }
}

function bodyOf(route: AskRoute): Json {
  if (route.channel !== null) return reference(`${route.channel}-request`)
  return { anyOf: Object.keys(bodies).map((channel) => reference(`${channel}-request`)) }
}

function problems(statuses: number[]): Json {
  const titles: Record<number, string> = {
    400: 'The body or a header is malformed',
    401: 'No valid token',
    403: 'The token does not allow this',
    404: "There is none, or it is another person's",
    409: 'It was decided before, or its time is over',
    410: 'It is not kept any more',
    411: 'A Content-Length is needed',
    413: 'Too large',
    415: 'Not of a type that this route takes',
    422: 'The Idempotency-Key was used with another body, or an attachment cannot be used',
    501: 'This deployment keeps no files',
    503: 'Postgres, the keys or the files cannot be reached; try again',
  }
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: titles[status], content: { 'application/problem+json': { schema: reference('problem') } } },
    ]),
  )
}

function answer(description: string, schema: string): Json {
  return { description, content: { 'application/json': { schema: reference(schema) } } }
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

function inputOf(schema: z.ZodMiniType): Json {
  return { ...z.toJSONSchema(schema, { io: 'input' }), $schema: undefined }
}

function outputOf(schema: z.ZodMiniType): Json {
  return { ...z.toJSONSchema(schema), $schema: undefined }
}
