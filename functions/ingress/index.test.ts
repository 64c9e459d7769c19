import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFunction } from './index.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
let environment: Record<string, string>
beforeAll(async () => {
  door = await openTestDoor()
  environment = {
    DATABASE_URL: door.store.url,
    K_SINK: door.broker.url,
    OIDC_ISSUER: door.issuer,
    OIDC_AUDIENCE: 'self-service-agent',
    OIDC_JWKS_URL: `${door.issuer}/.well-known/jwks.json`,
    MESSAGE_LIMIT: '10',
  }
})
afterAll(() => door.close())

test('the environment is all that the function needs', async () => {
  const hosted = createFunction(environment)
  await hosted.readiness?.()
  const authorization = `Bearer ${await door.token('alice@example.com')}`
  const ask = async (content: string) => {
    const headers = { authorization, 'content-type': 'application/json', prefer: 'respond-async' }
    return await hosted.fetch(
      new Request('http://door/api/v1/requests', { method: 'POST', headers, body: JSON.stringify({ content }) }),
    )
  }
  const [first, second] = [await ask('0123456789'), await ask('0123456789')]
  expect(first.status).toBe(202)
  expect((await ask('0123456789a')).status).toBe(413)
  const ids = door.broker.events.map((event) => String(event['correlationid']))
  expect(ids).toEqual([
    ((await first.json()) as { request_id: string }).request_id,
    ((await second.json()) as { request_id: string }).request_id,
  ])
  await hosted.shutdown?.()
})

test.each(['DATABASE_URL', 'K_SINK', 'OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_JWKS_URL'])(
  '%s is asked for by name',
  (name) => {
    expect(() => createFunction({ ...environment, [name]: '' })).toThrow(`${name} is not set: it is`)
  },
)
