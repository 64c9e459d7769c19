import { Fault } from '../../shared/errors/fault.ts'
import type { Destination } from './model.ts'

/**
 * Where each destination is, on this machine: Services by the map from their names, Brokers at this process.
 * @throws Fault `broker.manifest-invalid` where a Service of the manifests has no address.
 */
export function createAddresses(subscribers: Readonly<Record<string, string>>, brokerUrl: () => string) {
  return (destination: Destination): string => {
    switch (destination.kind) {
      case 'uri':
        return new URL(destination.uri).href
      case 'broker':
        return `${brokerUrl()}/${destination.namespace}/${destination.name}`
      case 'service': {
        const base = Object.hasOwn(subscribers, destination.name) ? subscribers[destination.name] : undefined
        if (base === undefined || !URL.canParse(base)) {
          throw new Fault('broker.manifest-invalid', `Service ${destination.name} has no address in BROKER_SUBSCRIBERS`)
        }
        return destination.path === '/' ? new URL(base).href : new URL(destination.path, base).href
      }
    }
  }
}
