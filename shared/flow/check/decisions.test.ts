import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

const confirm = `yes: file, no: bye`
const file = '  file: {call: desk.open_ticket, approval: confirm-it, failure: bye, next: bye}'
/** The sample, where the ticket needs somebody else's yes as well. */
const withApprove = (changed: Partial<Record<'by' | 'yes' | 'no' | 'expired' | 'nobody' | 'approve', string>> = {}) => {
  const keys = {
    approve: 'confirm-it',
    by: '\'"bob@example.com"\'',
    yes: 'file',
    no: 'bye',
    expired: 'bye',
    nobody: 'bye',
    ...changed,
  }
  const { approve, by, yes, no, expired, nobody } = keys
  return `  boss: {approve: ${approve}, by: ${by}, ask: Sure?, waiting: I asked., yes: ${yes}, no: ${no}, expired: ${expired}, nobody: ${nobody}}
  file: {call: desk.open_ticket, approval: boss, failure: bye, next: bye}`
}
const literally = (text: string) => text.replaceAll(/[{}()[\].*+?^$|\\]/g, '\\$&')
const place = new RegExp(`${literally(confirm)}([\\s\\S]*?)${literally(file)}`)
const sample = (changed = {}, yes = 'boss') => `yes: ${yes}, no: bye, otherwise: unclear}\n${withApprove(changed)}`

test('somebody else is asked for what the employee confirmed, and a yes leads to the write', async () => {
  expect(await faultsOf(place, sample())).toEqual([])
})

test.each<[string, object, string[]]>([
  ['a question after a no', { no: 'offer' }, [expect.stringContaining('leads to step "offer" (ask)')]],
  [
    'a hand-off after the expiry',
    { expired: 'to-router' },
    ['36: leads to step "to-router" (handoff): after somebody else\'s decision nobody is there to answer'],
  ],
  [
    'a yes that files nothing',
    { yes: 'bye' },
    [expect.stringContaining('a yes must lead to the call that uses it (approval: boss)')],
  ],
  ['a confirm step that is none', { approve: 'offer' }, [expect.stringContaining('there is no confirm step "offer"')]],
  ['an unknown name', { by: 'manager.email' }, [expect.stringContaining('unknown name "manager"')]],
])('%s', async (_, changed, expected) => {
  expect((await faultsOf(place, sample(changed))).length).toBeGreaterThan(0)
  expect(await faultsOf(place, sample(changed))).toEqual(expect.arrayContaining(expected))
})

test('nothing but the yes of the employee leads there', async () => {
  const faults = await faultsOf(place, sample({ nobody: 'boss' }))
  expect(faults).toEqual(
    expect.arrayContaining([expect.stringContaining('only the yes of "confirm-it" may lead to step "boss"')]),
  )
})
