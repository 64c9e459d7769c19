import { mediaTypes } from '../../shared/attachments/media-types.ts'
import { channels } from '../../shared/channels/registry.ts'
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
import { describeIdentityCall, identitySchemas } from './openapi-identity.ts'
import {
  answer,
  idempotencyKey,
  inputOf,
  inQuery,
  type Json,
  outcome,
  outputOf,
  page,
  pathId,
  prefer,
  problems,
  reference,
  traceparent,
} from './openapi-parts.ts'
import { describeRecordsCall, recordsSchemas } from './openapi-records.ts'
import { isOfRecords } from './records-routes.ts'
import { type AskRoute, isOfIdentity, type Route, routes, type Who } from './routes.ts'
import { newWebhook, registered, webhooks } from './webhook-bodies.ts'

const channelAnswers = {
  200: { description: 'Taken, or answered as the channel expects' },
  ...problems([400, 401, 413, 503]),
}

const needs: Record<Who, string> = {
  anyone: 'No token is needed.',
  caller: 'Any valid token or API key.',
  person: "A person's token, which names their e-mail address.",
  service: 'A token with the scope `service`.',
  'dead-letters:manage': 'A token with the scope `dead-letters:manage`.',
  'api-keys:manage': 'A token with the scope `api-keys:manage`.',
  'handoffs:manage': 'A token with the scope `handoffs:manage`.',
  'audit:read': 'A token with the scope `audit:read`.',
}

/** The OpenAPI 3.1 document of this function, made from the table of routes and the schemas that the code parses with. */
export function describeApi(): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) }
  }
  const proofs: Json = {}
  for (const { name, routes: ofChannel = [] } of channels) {
    for (const { path, method, proof, summary } of ofChannel) {
      if (proof !== null)
        proofs[name] = { type: 'apiKey', in: 'header', name: proof.header, description: proof.meaning }
      const operation = { summary, security: proof === null ? [] : [{ [name]: [] }], responses: channelAnswers }
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Self-service agent', version: '1', description: describeScopes() },
    // A route without a word on security needs a token, too.
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: "The issuer's JWT of a person or program, or an API key.",
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-session',
          description: "Set by signing in to the page; changes also need the page's own Origin and X-Requested-With.",
        },
        ...proofs,
      },
      schemas: {
        ...Object.fromEntries(Object.entries(bodies).map(([name, schema]) => [`${name}-request`, inputOf(schema)])),
        finished: outputOf(finished),
        accepted: outputOf(accepted),
        conversation: outputOf(conversation),
        attachment: outputOf(takenAttachment),
        approvals: outputOf(approvals),
        awaited: outputOf(awaited),
        'new-webhook': inputOf(newWebhook),
        webhooks: outputOf(webhooks),
        'registered-webhook': outputOf(registered),
        decision: inputOf(decision),
        decided: outputOf(decided),
        'dead-letters': outputOf(deadLetters),
        'dead-letter': outputOf(shownDeadLetter),
        'dead-letter-action': inputOf(deadLetterAction),
        treated: outputOf(treated),
        ...identitySchemas(),
        ...recordsSchemas(),
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
    security: route.who === 'anyone' ? [] : [{ bearer: [] }, ...(route.cookie ? [{ session: [] }] : [])],
    ...describeCall(route),
  }
}

function describeCall(route: Route): Json {
  if (isOfIdentity(route)) return describeIdentityCall(route)
  if (isOfRecords(route)) return describeRecordsCall(route)
  const refused = { ...problems([401, 503]) }
  switch (route.kind) {
    case 'ask':
      return {
        parameters: [prefer('60 unless told'), idempotencyKey, traceparent],
        requestBody: { required: true, content: { 'application/json': { schema: bodyOf(route) } } },
        responses: { ...outcome, ...problems([400, 403, 413, 415, 422, 429]), ...refused },
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
    case 'webhooks':
      return { responses: { 200: answer('The oldest first', 'webhooks'), ...problems([501]), ...refused } }
    case 'register-webhook':
      return {
        requestBody: { required: true, content: { 'application/json': { schema: reference('new-webhook') } } },
        responses: { 201: answer('It is there', 'registered-webhook'), ...problems([400, 413, 415, 501]), ...refused },
      }
    case 'rotate-webhook':
      return {
        parameters: [pathId],
        responses: { 200: answer('The new secret', 'registered-webhook'), ...problems([404, 501]), ...refused },
      }
    case 'remove-webhook':
      return {
        parameters: [pathId],
        responses: { 204: { description: 'Forgotten' }, ...problems([404, 501]), ...refused },
      }
    case 'decide':
      return {
        parameters: [pathId],
        requestBody: { required: true, content: { 'application/json': { schema: reference('decision') } } },
        responses: { 200: answer('It counts', 'decided'), ...problems([400, 403, 404, 409, 413, 415]), ...refused },
      }
    case 'events':
      return {
        parameters: [
          {
            name: 'Last-Event-ID',
            in: 'header',
            description: 'The id of the last event already read; without it the newest messages come first.',
            schema: { type: 'string' },
          },
        ],
        responses: {
          200: {
            description:
              'Events `opened`, `message` (with an id), `progress` and, once nothing is under way, `idle`, with which the stream ends. It also ends after a minute.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...problems([403, 429]),
          ...refused,
        },
      }
    case 'page':
    case 'link-page':
    case 'settings-page':
      return { responses: { 200: { description: 'HTML' }, ...problems([404]) } }
    case 'asset':
      return {
        parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'The file' }, ...problems([404]) },
      }
    case 'sign-in':
      return { responses: { 302: { description: 'To the issuer' }, ...problems([404, 503]) } }
    case 'signed-in':
      return {
        parameters: ['code', 'state', 'iss', 'error'].map((name) => inQuery(name, 'As the issuer sends it')),
        responses: { 303: { description: 'To the page, signed in or told why not' }, ...problems([404]) },
      }
    case 'sign-out':
      return { responses: { 204: { description: 'Signed out' }, ...problems([403, 404]) } }
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

function bodyOf(route: AskRoute): Json {
  if (route.channel !== null) return reference(`${route.channel}-request`)
  return { anyOf: Object.keys(bodies).map((channel) => reference(`${channel}-request`)) }
}
