import {
  apiKeys,
  link,
  linked,
  madeApiKey,
  me,
  newApiKey,
  newIdentity,
  newPreferences,
  newSecret,
  preferences,
} from './identity-bodies.ts'
import { answer, inputOf, type Json, outputOf, pathId, problems, reference } from './openapi-parts.ts'
import type { IdentityRoute } from './routes.ts'

/** The schemas of people's accounts and programs' keys. */
export function identitySchemas(): Json {
  return {
    me: outputOf(me),
    'new-preferences': inputOf(newPreferences),
    preferences: outputOf(preferences),
    link: outputOf(link),
    'new-identity': inputOf(newIdentity),
    linked: outputOf(linked),
    'new-api-key': inputOf(newApiKey),
    'new-secret': inputOf(newSecret),
    'api-keys': outputOf(apiKeys),
    'made-api-key': outputOf(madeApiKey),
  }
}

/** What the routes about them take and give. */
export function describeIdentityCall({ kind }: IdentityRoute): Json {
  const refused = problems([401, 403, 503])
  const body = (schema: string) => ({
    requestBody: { required: true, content: { 'application/json': { schema: reference(schema) } } },
  })
  const badBody = problems([400, 413, 415])
  switch (kind) {
    case 'me':
      return { responses: { 200: answer('You', 'me'), ...refused } }
    case 'preferences':
      return {
        ...body('new-preferences'),
        responses: { 200: answer('Kept', 'preferences'), ...badBody, ...problems([422]), ...refused },
      }
    case 'show-link':
      return {
        parameters: [{ name: 'token', in: 'query', required: true, schema: { type: 'string' } }],
        responses: { 200: answer('The account', 'link'), ...problems([404]), ...refused },
      }
    case 'link':
      return {
        ...body('new-identity'),
        responses: { 200: answer('It is yours', 'linked'), ...badBody, ...problems([404, 409]), ...refused },
      }
    case 'unlink':
      return {
        parameters: [
          {
            ...{ name: 'identity', in: 'path', required: true, schema: { type: 'string' } },
            description: 'As /api/v1/me names it, percent-encoded: slack%3AT1%2FU2',
          },
        ],
        responses: { 204: { description: 'It is not' }, ...problems([404, 409]), ...refused },
      }
    case 'api-keys':
      return { responses: { 200: answer('Without their secrets', 'api-keys'), ...refused } }
    case 'create-api-key':
      return {
        ...body('new-api-key'),
        responses: { 201: answer('The key, shown this once', 'made-api-key'), ...badBody, ...refused },
      }
    case 'rotate-api-key':
      return {
        parameters: [pathId],
        ...body('new-secret'),
        responses: {
          200: answer('The key, shown this once', 'made-api-key'),
          ...badBody,
          ...problems([404]),
          ...refused,
        },
      }
    case 'revoke-api-key':
      return { parameters: [pathId], responses: { 204: { description: 'It is over' }, ...problems([404]), ...refused } }
  }
}
