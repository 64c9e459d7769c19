import { expect, test } from 'vitest'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { consumerOf } from './consumer-of.ts'

test.each([
  ['http://dispatch.self-service-agent.svc.cluster.local', 'dispatch'],
  ['http://dispatch.self-service-agent.svc.cluster.local/', 'dispatch'],
  ['http://route.self-service-agent.svc.cluster.local', 'route'],
  ['http://gateway.company.com/functions/dispatch/', 'dispatch'],
  // A name that only contains it, or stands elsewhere in the address, is another's.
  ['http://route.dispatch.svc.cluster.local', 'route'],
  ['http://dispatcher.erp.svc.cluster.local', 'route'],
  ['http://route.self-service-agent.svc/?next=/dispatch', 'route'],
  // Addresses that name no stage: a laptop's, the broker's own, none.
  ['http://127.0.0.1:8104/', 'route'],
  ['http://broker-ingress.knative-eventing.svc.cluster.local/self-service-agent/default', 'route'],
  ['not an address', 'route'],
  [null, 'route'],
])('an answer given up at %s', (destination, consumer) => {
  expect(consumerOf(eventTypes.responseReady, destination)).toBe(consumer)
})

test('a type with one taker is that one’s, wherever it was given up; others are nobody’s', () => {
  expect(consumerOf(eventTypes.agentStep, 'http://127.0.0.1:8103/')).toBe('agent')
  expect(consumerOf(eventTypes.agentStep, 'http://dispatch.self-service-agent.svc')).toBe('agent')
  expect(consumerOf(eventTypes.tick, 'http://keeper.self-service-agent.svc')).toBeNull()
  expect(consumerOf('constructor', null)).toBeNull()
})
