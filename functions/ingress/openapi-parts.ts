import * as z from 'zod/mini'

/** What the descriptions of routes are made of. */
export type Json = Record<string, unknown>

export const outcome = {
  200: answer('The answer', 'finished'),
  202: {
    ...answer('Accepted and not yet answered: ask again at Location', 'accepted'),
    headers: { location: { schema: { type: 'string' } }, 'retry-after': { schema: { type: 'integer' } } },
  },
}

export const pathId = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }

export const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same caller, key and body give the same request and its answer; another body is refused with 422.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
}

export const traceparent = {
  name: 'traceparent',
  in: 'header',
  description: 'W3C trace context, carried through every stage.',
  schema: { type: 'string' },
}

export function prefer(byDefault: string): Json {
  return {
    name: 'Prefer',
    in: 'header',
    description: `RFC 7240: \`wait=N\` waits at most N seconds (60 at most, ${byDefault}); \`respond-async\` does not wait.`,
    schema: { type: 'string' },
  }
}

export function inQuery(name: string, description: string): Json {
  return { name, in: 'query', description, schema: { type: 'string' } }
}

export function page(name: string, description: string, byDefault: number): Json {
  return { name, in: 'query', description, schema: { type: 'integer', default: byDefault } }
}

export function problems(statuses: number[]): Json {
  const titles: Record<number, string> = {
    400: 'The body or a header is malformed',
    401: 'No valid token',
    403: 'The token does not allow this',
    404: "There is none, or it is another person's",
    409: 'It was decided before, its time is over, or it is another person’s',
    410: 'It is not kept any more',
    411: 'A Content-Length is needed',
    413: 'Too large',
    415: 'Not of a type that this route takes',
    422: 'The Idempotency-Key was used with another body, or what is named cannot be used',
    429: 'Too many at once: Retry-After says when to come again',
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

export function answer(description: string, schema: string): Json {
  return { description, content: { 'application/json': { schema: reference(schema) } } }
}

export function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

export function inputOf(schema: z.ZodMiniType): Json {
  return { ...z.toJSONSchema(schema, { io: 'input' }), $schema: undefined }
}

export function outputOf(schema: z.ZodMiniType): Json {
  return { ...z.toJSONSchema(schema), $schema: undefined }
}
