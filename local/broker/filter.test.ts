import { expect, test } from 'vitest'
import type { Mode } from './back-off.ts'
import { brokerYaml, triggerYaml } from './broker.fixture.ts'
import { type Attributes, passes } from './filter.ts'
import { parseManifests } from './manifests.ts'

// The event that cloudevents/sdk-go calls full, and a smaller one of another type.
const full = {
  specversion: '1.0',
  type: 'com.example.FullEvent',
  source: 'http://example.com/source',
  id: 'full-event',
  subject: 'topic',
  exbool: 'true',
  exint: '42',
}
const other = { specversion: '1.0', type: 'org.wrong.type', source: 'org.wrong.source', id: 'min-event' }
const typed = (type: string) => ({ ...other, type })

interface Row {
  says: string
  spec: { filter?: unknown; filters?: unknown }
  mode?: Mode
  passing: Attributes[]
  failing: Attributes[]
}

const any = {
  any: [{ exact: { type: 'exact.event.type' } }, { prefix: { type: 'prefix' } }, { suffix: { type: 'suffix' } }],
}
const all = {
  all: [
    { exact: { type: 'exact.prefix.suffix.event.type' } },
    { prefix: { type: 'exact.prefix' } },
    { suffix: { type: 'suffix.event.type' } },
  ],
}

// After knative/eventing test/rekt/features/new_trigger_filters/feature.go, features/trigger/new_trigger_filters.go and
// the unit tables of pkg/eventfilter/{attributes,subscriptionsapi}. CESQL rows are left out: it is refused.
const rows: Row[] = [
  { says: 'no filter at all', spec: {}, passing: [full, other], failing: [] },
  { says: 'an empty list of filters', spec: { filters: [] }, passing: [full, other], failing: [] },
  { says: 'an empty filter', spec: { filter: { attributes: {} } }, passing: [full, other], failing: [] },
  {
    says: 'exact, two attributes',
    spec: { filters: [{ exact: { type: full.type, source: full.source } }] },
    passing: [full],
    failing: [other, { ...full, source: 'elsewhere' }, { ...full, type: full.type.toLowerCase() }],
  },
  {
    says: 'prefix, two attributes',
    spec: { filters: [{ prefix: { type: 'com.', source: 'http' } }] },
    passing: [full],
    failing: [other, { ...full, type: 'xcom.example' }],
  },
  {
    says: 'suffix, two attributes',
    spec: { filters: [{ suffix: { type: 'FullEvent', source: '/source' } }] },
    passing: [full],
    failing: [other, { ...full, type: 'FullEventX' }],
  },
  {
    says: 'an extension by its text',
    spec: { filters: [{ exact: { exint: '42' } }] },
    passing: [full],
    failing: [other],
  },
  {
    says: 'any',
    spec: { filters: [any] },
    passing: ['exact.event.type', 'prefix.event.type', 'event.type.suffix'].map(typed),
    failing: ['not.event.type', 'cesql.event.type'].map(typed),
  },
  {
    says: 'any, several exact',
    spec: { filters: [{ any: [{ exact: { type: 'one' } }, { exact: { type: 'two' } }] }] },
    passing: ['one', 'two'].map(typed),
    failing: ['three', 'onetwo'].map(typed),
  },
  {
    says: 'all',
    spec: { filters: [all] },
    passing: [typed('exact.prefix.suffix.event.type')],
    failing: ['not.event.type', 'exact.prefix.suffix.event', 'exact.prefix.suffix.event.suffix.event.type'].map(typed),
  },
  {
    says: 'not',
    spec: { filters: [{ not: { exact: { type: 'this' } } }] },
    passing: [typed('that')],
    failing: [typed('this')],
  },
  {
    says: 'not of not',
    spec: { filters: [{ not: { not: { prefix: { type: 'th' } } } }] },
    passing: [typed('this')],
    failing: [typed('is')],
  },
  {
    says: 'several filters: each must pass',
    spec: { filters: [{ prefix: { type: 'a' } }, { suffix: { type: 'z' } }] },
    passing: ['az', 'abcz'].map(typed),
    failing: ['a', 'z', 'za'].map(typed),
  },
  {
    says: 'a missing attribute fails exact, prefix and suffix',
    spec: { filters: [{ any: [{ exact: { gone: 'x' } }, { prefix: { gone: 'x' } }, { suffix: { gone: 'x' } }] }] },
    passing: [],
    failing: [full, other],
  },
  {
    says: 'a missing attribute passes not',
    spec: { filters: [{ not: { exact: { gone: 'x' } } }] },
    passing: [full],
    failing: [],
  },
  {
    says: 'filters win over filter',
    spec: { filter: { attributes: { type: 'org.wrong.type' } }, filters: [{ exact: { type: full.type } }] },
    passing: [full],
    failing: [other],
  },
  {
    says: 'filter.attributes: every pair, case and all',
    spec: { filter: { attributes: { type: full.type, subject: 'topic' } } },
    passing: [full],
    failing: [other, { ...full, subject: 'Topic' }],
  },
  {
    says: 'filter.attributes: "" on the channel broker asks for any value',
    spec: { filter: { attributes: { subject: '' } } },
    passing: [full],
    failing: [other, { ...full, subject: '' }],
  },
  {
    says: 'filter.attributes: "" means nothing to Kafka',
    mode: 'kafka',
    spec: { filter: { attributes: { subject: '', type: full.type } } },
    passing: [full, { ...full, subject: '' }],
    failing: [other],
  },
  {
    says: "an attribute's name that every object has",
    spec: { filters: [{ prefix: { constructor: 'f' } }] },
    passing: [],
    failing: [full],
  },
]

for (const { says, spec, mode = 'channel', passing, failing } of rows) {
  test(says, () => {
    const { triggers } = parseManifests(brokerYaml() + triggerYaml('one', 'one', spec))
    const judge = (event: Attributes) => triggers.map(({ matching }) => passes(matching, event, mode))
    for (const event of passing) expect(judge(event), JSON.stringify(event)).toEqual([true])
    for (const event of failing) expect(judge(event), JSON.stringify(event)).toEqual([false])
  })
}
