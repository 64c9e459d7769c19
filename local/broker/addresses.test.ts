import { expect, test } from 'vitest'
import { createAddresses } from './addresses.ts'

const addressOf = createAddresses({ route: 'http://127.0.0.1:1234', odd: 'nowhere' }, () => 'http://127.0.0.1:8092')
const service = (name: string, path = '/') => ({ kind: 'service', namespace: 'ns', name, path }) as const

test('Services are where the map says, Brokers here, and a uri is itself', () => {
  expect(addressOf(service('route'))).toBe('http://127.0.0.1:1234/')
  expect(addressOf(service('route', '/deep'))).toBe('http://127.0.0.1:1234/deep')
  expect(addressOf({ kind: 'broker', namespace: 'ns', name: 'default' })).toBe('http://127.0.0.1:8092/ns/default')
  expect(addressOf({ kind: 'uri', uri: 'https://example.com' })).toBe('https://example.com/')
})

test('a Service without an address stops the start, by name', () => {
  for (const name of ['keeper', 'odd', 'constructor']) {
    expect(() => addressOf(service(name))).toThrow(`Service ${name} has no address in BROKER_SUBSCRIBERS`)
  }
})
