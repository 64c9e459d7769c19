/** What the manifests say, after parsing: nothing here can be wrong any more. */
export interface Manifests {
  brokers: Broker[]
  triggers: Trigger[]
  pingSources: PingSource[]
}

export interface Broker {
  namespace: string
  name: string
  delivery: DeliverySpec | undefined
}

export interface Trigger {
  namespace: string
  name: string
  broker: string
  matching: Matching
  subscriber: Destination
  /** The Trigger's own, else the Broker's as a whole; they are never mixed (control-plane.md, "Delivery Spec"). */
  delivery: DeliverySpec
}

/** `filters` where there are any, else `filter`, else everything passes. */
export type Matching =
  | { kind: 'everything' }
  | { kind: 'attributes'; attributes: Record<string, string> }
  | { kind: 'filters'; filters: Filter[] }

/** One element of `filters`: exactly one dialect of the CloudEvents Subscriptions API. */
export type Filter =
  | { dialect: 'exact' | 'prefix' | 'suffix'; pairs: Record<string, string> }
  | { dialect: 'all' | 'any'; filters: Filter[] }
  | { dialect: 'not'; filter: Filter }

export interface DeliverySpec {
  /** Retries after the first attempt: `retry` + 1 attempts in all. */
  retry: number
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelayMs?: number
  /** For one attempt. */
  timeoutMs?: number
  deadLetterSink?: Destination
}

export type Destination =
  | { kind: 'service'; namespace: string; name: string; path: string }
  | { kind: 'broker'; namespace: string; name: string }
  | { kind: 'uri'; uri: string }

export interface PingSource {
  namespace: string
  name: string
  schedule: string
  contentType: string | undefined
  data: string
  extensions: Record<string, string>
  sink: Destination
}

/** A trigger's name, unique in a set of manifests. */
export function keyOf(trigger: { namespace: string; name: string }): string {
  return `${trigger.namespace}/${trigger.name}`
}
