import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { quiet } from '../../../test/pipeline.ts'
import { proveSource, readKeys } from './keys.ts'
import { openDoor } from './open.ts'

const keys = readKeys(JSON.stringify({ hr: { tokens: [createHash('sha256').update('token').digest('hex')] } }))
const call = (query: string, authorization?: string) => ({
  ...{ method: 'POST', path: '/channels/events/hr', body: new Uint8Array() },
  ...{ query: new URLSearchParams(query), headers: new Headers(authorization === undefined ? {} : { authorization }) },
})

test('a token in the URL counts only where the file says so, and never beside a header', () => {
  const prove = (tokenInUrl: boolean, ...args: Parameters<typeof call>) =>
    proveSource(call(...args), keys.get('hr'), { now: new Date(), tokenInUrl })
  expect(() => prove(true, 'access_token=token')).not.toThrow()
  expect(() => prove(false, 'access_token=token')).toThrow('there is no such source')
  expect(() => prove(true, 'access_token=tokens')).toThrow('there is no such source')
  expect(() => prove(true, '')).toThrow('there is no such source')
  expect(() => prove(true, 'access_token=token', 'Bearer wrong')).toThrow('there is no such source')
})

test.each([
  [{ EVENT_KEYS: 'secret-token' }],
  [{ EVENT_KEYS: '{"hr":{"tokens":["secret-token"]}}' }],
  [{ EVENT_KEYS: '{"hr":{"secrets":["whsec_secret-token"]}}' }],
  [{ EVENT_KEYS: '{"hr":{"token":"secret-token"}}' }],
  [{ INTEGRATIONS_DIR: '/nowhere' }],
])('settings with a fault keep all out, and no key gets into the log: %j', async (more) => {
  const environment = {
    INTEGRATIONS_DIR: join(import.meta.dirname, '../../../integrations'),
    EVENT_KEYS: '{}',
    ...more,
  }
  const lines: string[] = []
  const log = { ...quiet.log, error: (...all: unknown[]) => void lines.push(inspect(all, { depth: 10 })) }
  const parts = { receive: () => Promise.reject(new Error('nothing is taken')), now: () => new Date(), log }
  await expect(openDoor(environment, parts, [])).rejects.toMatchObject({ code: 'channel.misconfigured' })
  expect(lines).toHaveLength(1)
  expect(lines.join()).not.toContain('secret-token')
})
