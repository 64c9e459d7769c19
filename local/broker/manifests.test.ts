import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerYaml, triggerYaml } from './broker.fixture.ts'
import { parseManifests, readManifestFolder } from './manifests.ts'

function faultsOf(yaml: string): string {
  try {
    parseManifests(yaml, 'x.yaml')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'none'
}
const trigger = (rest: Record<string, unknown>) => brokerYaml() + triggerYaml('one', 'one', rest)

// knative/eventing test/rekt/features/broker/control_plane.go, ControlPlaneTrigger_WithInvalidFilters
const invalidNames = [
  'SOURCE',
  'Source',
  'souRce',
  's pace s',
  's_pace_s',
  's-pace-s',
  '123',
  '😊',
  '!@#$%^&*()-_=_`~+\\',
  '{}[];\':"<>,./?',
]
for (const name of invalidNames) {
  test(`no attribute name: ${name}`, () => {
    expect(faultsOf(trigger({ filter: { attributes: { [name]: 'x' } } }))).toContain('is no attribute name')
    expect(faultsOf(trigger({ filters: [{ exact: { [name]: 'x' } }] }))).toContain('is no attribute name')
  })
}

// The same file, ControlPlaneTrigger_WithValidFilters
test('valid attribute names', () => {
  const attributes = Object.fromEntries(
    [
      'source',
      'id',
      'specversion',
      'type',
      'subject',
      'time',
      'datacontenttype',
      'dataschema',
      'aaa',
      'c1d2e3',
      'abcdefghijklmnopqrst',
    ].map((name) => [name, 'x']),
  )
  expect(parseManifests(trigger({ filter: { attributes } })).triggers[0]?.matching).toEqual({
    kind: 'attributes',
    attributes,
  })
})

const refused: [says: string, yaml: string, fault: RegExp][] = [
  ['cesql', trigger({ filters: [{ cesql: "type = 'x'" }] }), /doesn't evaluate CESQL; say it with exact/],
  ['cesql inside any', trigger({ filters: [{ any: [{ cesql: 'TRUE' }] }] }), /filters\.0\.any\.0\.cesql: .*CESQL/],
  ['two dialects', trigger({ filters: [{ exact: { type: 'a' }, prefix: { type: 'a' } }] }), /exactly one dialect/],
  ['no dialect', trigger({ filters: [{}] }), /exactly one dialect/],
  ['an unknown dialect', trigger({ filters: [{ like: {} }] }), /exactly one dialect/],
  ['an empty value', trigger({ filters: [{ exact: { type: '' } }] }), /is empty/],
  ['an empty all', trigger({ filters: [{ all: [] }] }), /is a list of filters/],
  ['a delay that is none', trigger({ delivery: { backoffDelay: 'FOO' } }), /"FOO" is no ISO 8601 duration/],
  ['a timeout that is none', trigger({ delivery: { timeout: 'PP1' } }), /"PP1" is no ISO 8601 duration/],
  ['an alpha field', trigger({ delivery: { retryAfterMax: 'PT1S' } }), /Unrecognized key: "retryAfterMax"/],
  ['a negative retry', trigger({ delivery: { retry: -1 } }), /delivery\.retry/],
  ['another policy', trigger({ delivery: { backoffPolicy: 'constant' } }), /delivery\.backoffPolicy/],
  ['no broker', triggerYaml('one', 'one'), /there is no Broker default/],
  ['twice the same', brokerYaml() + brokerYaml(), /there is a second Broker ns\/default/],
  ['a subscriber nowhere', trigger({ subscriber: {} }), /needs a ref, or an absolute uri/],
  [
    'an object that this broker has no part for',
    'apiVersion: flows.knative.dev/v1\nkind: Sequence\nmetadata: {name: x}',
    /doesn't run flows.knative.dev\/v1 Sequence/,
  ],
  [
    'ordered delivery',
    trigger({}).replace(
      '{name: one,',
      '{annotations: {kafka.eventing.knative.dev/delivery.order: ordered}, name: one,',
    ),
    /delivers unordered/,
  ],
  ['no YAML', 'a: [', /x\.yaml:\d+: /],
]

for (const [says, yaml, fault] of refused) {
  test(`refused: ${says}`, () => {
    expect(faultsOf(yaml)).toMatch(fault)
  })
}

test('every fault is told, with file and line', () => {
  const yaml = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: ns}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: one, namespace: ns}
spec:
  broker: default
  filters:
    - exact:
        Type: x
    - cesql: "TRUE"
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: one}}
`
  expect(faultsOf(yaml).split('\n')).toEqual([
    expect.stringMatching(/^x\.yaml:12: spec\.filters\.0\.exact\.Type: is no attribute name/),
    expect.stringMatching(/^x\.yaml:13: spec\.filters\.1\.cesql: /),
  ])
})

test('a kustomization names the files, its namespace wins, other objects are none of our business', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  await mkdir(join(folder, 'more'))
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  await write('kustomization.yaml', 'namespace: over\nresources: [one.yaml, more]\n')
  await write('more/kustomization.yaml', 'resources: [two.yaml]\n')
  await write('one.yaml', `${brokerYaml()}apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\n`)
  await write('more/two.yaml', triggerYaml('one', 'one'))
  await write('ignored.yaml', 'not: read')
  const { brokers, triggers } = await readManifestFolder(folder)
  expect(brokers.map(({ namespace }) => namespace)).toEqual(['over'])
  expect(triggers.map(({ namespace }) => namespace)).toEqual(['over'])
  await write('kustomization.yaml', 'resources: [gone.yaml]\npatches: []\n')
  await expect(readManifestFolder(folder)).rejects.toThrow(/kustomization\.yaml:1: .*patches/)
  await write('kustomization.yaml', 'resources: [gone.yaml]\n')
  await expect(readManifestFolder(folder)).rejects.toThrow(/gone\.yaml:1: the file is missing/)
  await rm(folder, { recursive: true })
})
