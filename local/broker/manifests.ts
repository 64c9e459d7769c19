import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import * as z from 'zod/mini'
import { Fault } from '../../shared/errors/fault.ts'
import { parseSchedule } from './cron.ts'
import { parseDuration } from './duration.ts'
import { type Manifest, readManifests } from './manifest-file.ts'
import { matchingOf } from './manifest-filter.ts'
import {
  type Broker,
  type DeliverySpec,
  type Destination,
  keyOf,
  type Manifests,
  type PingSource,
  type Trigger,
} from './model.ts'

const metadata = z.object({
  name: z.string().check(z.regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'is no Kubernetes name')),
  namespace: z.optional(z.string()),
  annotations: z.optional(z.record(z.string(), z.string())),
})
const reference = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  namespace: z.optional(z.string()),
})
const destination = z.strictObject({ ref: z.optional(reference), uri: z.optional(z.string()) })
const delivery = z.strictObject({
  retry: z.optional(z.int().check(z.gte(0))),
  backoffPolicy: z.optional(z.enum(['linear', 'exponential'])),
  backoffDelay: z.optional(z.string()),
  timeout: z.optional(z.string()),
  deadLetterSink: z.optional(destination),
})
const pairs = z.record(z.string(), z.string())
const triggerSchema = z.object({
  metadata,
  spec: z.strictObject({
    broker: z.string(),
    filter: z.optional(z.strictObject({ attributes: z.optional(pairs) })),
    filters: z.optional(z.array(z.unknown())),
    subscriber: destination,
    delivery: z.optional(delivery),
  }),
})
const brokerSchema = z.object({
  metadata,
  spec: z.optional(z.strictObject({ config: z.optional(z.unknown()), delivery: z.optional(delivery) })),
})
const pingSchema = z.object({
  metadata,
  spec: z.strictObject({
    schedule: z.string(),
    timezone: z.optional(z.literal('UTC')),
    contentType: z.optional(z.string()),
    data: z.optional(z.string()),
    ceOverrides: z.optional(z.strictObject({ extensions: z.optional(pairs) })),
    sink: destination,
  }),
})
const kind = z.object({ apiVersion: z.string(), kind: z.string() })
const orderAnnotation = 'kafka.eventing.knative.dev/delivery.order'
/** What of kustomize is done here; patches and generators belong to overlays, which a cluster applies. */
const kustomization = z.strictObject({
  apiVersion: z.optional(z.string()),
  kind: z.optional(z.string()),
  namespace: z.optional(z.string()),
  resources: z.array(z.string()),
})

/**
 * Reads the Knative objects of a kustomize folder (or of every YAML file of a folder without a kustomization).
 * @throws Fault `broker.manifest-invalid` with every fault found, each as `file:line: …`.
 */
export async function readManifestFolder(folder: string): Promise<Manifests> {
  const faults: string[] = []
  const found = await collect(folder, folder, undefined, faults)
  const manifests = build(found)
  if (faults.length > 0) throw new Fault('broker.manifest-invalid', faults.join('\n'))
  return manifests
}

/**
 * The same for one YAML text: what tests give.
 * @throws Fault `broker.manifest-invalid`
 */
export function parseManifests(text: string, file = 'manifests.yaml'): Manifests {
  const faults: string[] = []
  const found = readManifests(text, file, faults).map((manifest) => ({ manifest, namespace: undefined }))
  const manifests = build(found)
  if (faults.length > 0) throw new Fault('broker.manifest-invalid', faults.join('\n'))
  return manifests
}

interface Found {
  manifest: Manifest
  /** The kustomization's namespace, which wins over the object's. */
  namespace: string | undefined
}

async function collect(root: string, folder: string, outer: string | undefined, faults: string[]): Promise<Found[]> {
  const file = join(folder, 'kustomization.yaml')
  const name = relative(root, file)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) {
    const names = (await readdir(folder)).filter((entry) => entry.endsWith('.yaml')).sort()
    return readAll(root, folder, names, outer, faults)
  }
  const spec = readManifests(text, name, faults)[0]?.parse(kustomization)
  if (spec === undefined) return []
  return readAll(root, folder, spec.resources, outer ?? spec.namespace, faults)
}

async function readAll(root: string, folder: string, names: string[], namespace: string | undefined, faults: string[]) {
  const found: Found[] = []
  for (const name of names) {
    const path = join(folder, name)
    const kindOfPath = await stat(path).catch(() => null)
    if (kindOfPath === null) faults.push(`${relative(root, path)}:1: the file is missing`)
    else if (kindOfPath.isDirectory()) found.push(...(await collect(root, path, namespace, faults)))
    else {
      const text = await readFile(path, 'utf8')
      for (const manifest of readManifests(text, relative(root, path), faults)) found.push({ manifest, namespace })
    }
  }
  return found
}

function build(found: Found[]): Manifests {
  const brokers: Broker[] = []
  const triggers: (Omit<Trigger, 'delivery'> & { delivery: DeliverySpec | undefined; manifest: Manifest })[] = []
  const pingSources: PingSource[] = []
  const names = new Set<string>()
  for (const { manifest, namespace } of found) {
    const head = manifest.parse(kind)
    if (head === undefined) continue
    const take = (meta: z.infer<typeof metadata>) => {
      const key = { name: meta.name, namespace: namespace ?? meta.namespace ?? 'default' }
      const whole = `${head.kind} ${keyOf(key)}`
      if (names.has(whole)) manifest.fault(['metadata', 'name'], `there is a second ${whole}`)
      names.add(whole)
      return key
    }
    switch (`${head.apiVersion} ${head.kind}`) {
      case 'eventing.knative.dev/v1 Broker': {
        const object = manifest.parse(brokerSchema)
        if (object === undefined) break
        const key = take(object.metadata)
        brokers.push({ ...key, delivery: deliveryOf(manifest, object.spec?.delivery, key.namespace) })
        break
      }
      case 'eventing.knative.dev/v1 Trigger': {
        const object = manifest.parse(triggerSchema)
        if (object === undefined) break
        const key = take(object.metadata)
        const { spec } = object
        if (object.metadata.annotations?.[orderAnnotation] === 'ordered') {
          manifest.fault(['metadata', 'annotations', orderAnnotation], 'the development broker delivers unordered')
        }
        triggers.push({
          ...key,
          broker: spec.broker,
          matching: matchingOf(manifest, spec.filters, spec.filter?.attributes),
          subscriber: destinationOf(manifest, ['spec', 'subscriber'], spec.subscriber, key.namespace),
          delivery: deliveryOf(manifest, spec.delivery, key.namespace),
          manifest,
        })
        break
      }
      case 'sources.knative.dev/v1 PingSource': {
        const object = manifest.parse(pingSchema)
        if (object === undefined) break
        const key = take(object.metadata)
        const { spec } = object
        if (parseSchedule(spec.schedule) === null) {
          manifest.fault(['spec', 'schedule'], 'is no schedule of five fields (*, */n, numbers, lists) or @every')
        }
        pingSources.push({
          ...key,
          schedule: spec.schedule,
          contentType: spec.contentType,
          data: spec.data ?? '',
          extensions: spec.ceOverrides?.extensions ?? {},
          sink: destinationOf(manifest, ['spec', 'sink'], spec.sink, key.namespace),
        })
        break
      }
      case 'sources.knative.dev/v1 SinkBinding':
        // Tells a function where the broker is: whoever starts the functions does that.
        break
      default:
        if (/^(eventing|messaging|flows|sources|sinks)\.knative\.dev\//.test(head.apiVersion)) {
          manifest.fault(['kind'], `the development broker doesn't run ${head.apiVersion} ${head.kind}`)
        }
    }
  }
  return {
    brokers,
    pingSources,
    triggers: triggers.map(({ manifest, delivery: own, ...trigger }) => {
      const broker = brokers.find(({ namespace, name }) => namespace === trigger.namespace && name === trigger.broker)
      if (broker === undefined) manifest.fault(['spec', 'broker'], `there is no Broker ${trigger.broker} here`)
      return { ...trigger, delivery: own ?? broker?.delivery ?? { retry: 0 } }
    }),
  }
}

function destinationOf(
  manifest: Manifest,
  path: readonly PropertyKey[],
  value: z.infer<typeof destination>,
  namespace: string,
): Destination {
  const { ref, uri } = value
  if (ref === undefined) {
    if (uri === undefined || !URL.canParse(uri)) manifest.fault(path, 'needs a ref, or an absolute uri')
    return { kind: 'uri', uri: uri ?? '' }
  }
  const place = { namespace: ref.namespace ?? namespace, name: ref.name }
  if (ref.kind === 'Service') return { kind: 'service', ...place, path: uri ?? '/' }
  if (ref.kind !== 'Broker') manifest.fault([...path, 'ref', 'kind'], `${ref.kind} is neither Service nor Broker`)
  return { kind: 'broker', ...place }
}

function deliveryOf(
  manifest: Manifest,
  value: z.infer<typeof delivery> | undefined,
  namespace: string,
): DeliverySpec | undefined {
  if (value === undefined) return undefined
  const path = ['spec', 'delivery']
  const spec: DeliverySpec = { retry: value.retry ?? 0 }
  if (value.backoffPolicy !== undefined) spec.backoffPolicy = value.backoffPolicy
  for (const [name, target] of [
    ['backoffDelay', 'backoffDelayMs'],
    ['timeout', 'timeoutMs'],
  ] as const) {
    const text = value[name]
    if (text === undefined) continue
    const milliseconds = parseDuration(text)
    if (milliseconds === null) manifest.fault([...path, name], `"${text}" is no ISO 8601 duration like PT0.5S`)
    else spec[target] = milliseconds
  }
  if (value.deadLetterSink !== undefined) {
    spec.deadLetterSink = destinationOf(manifest, [...path, 'deadLetterSink'], value.deadLetterSink, namespace)
  }
  return spec
}
