import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from './fault.ts'
import { toFault } from './to-fault.ts'

const known = (code: string) => {
  const fault = toFault(Object.assign(new Error('secret words'), { code }))
  return { code: fault.code, class: fault.class, status: fault.status }
}
const passing = { code: 'store.unavailable', class: 'retryable', status: 503 }
const poison = { code: 'store.data-refused', class: 'terminal', status: 422 }
const outdated = { code: 'store.schema-outdated', class: 'retryable', status: 503 }
const unknown = { code: 'stage.failed', class: 'retryable', status: 500 }

// The classes and codes of the PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
test.each([
  // 08: connection exception
  ['08000', passing],
  ['08001', passing],
  ['08003', passing],
  ['08004', passing],
  ['08006', passing],
  ['08007', passing],
  ['08P01', passing],
  // 22: data exception
  ['22000', poison],
  ['22001', poison],
  ['22003', poison],
  ['22007', poison],
  ['22008', poison],
  ['22012', poison],
  ['22021', poison],
  ['22023', poison],
  ['22P02', poison],
  ['22P03', poison],
  ['22P05', poison],
  // 23: integrity constraint violation. No insert of ours waits for another's to win: see toFault.
  ['23000', poison],
  ['23001', poison],
  ['23502', poison],
  ['23503', poison],
  ['23505', poison],
  ['23514', poison],
  ['23P01', poison],
  // 25: read_only_sql_transaction is a primary that has become a standby
  ['25006', passing],
  ['25001', unknown],
  // 28, 3D: a password, role or database that an operator has to put right
  ['28P01', unknown],
  ['3D000', unknown],
  // 40: transaction rollback
  ['40001', passing],
  ['40002', passing],
  ['40003', passing],
  ['40P01', passing],
  // 42: syntax error or access rule violation
  ['42P01', outdated],
  ['42703', outdated],
  ['42601', unknown],
  ['42501', unknown],
  // 53: insufficient resources
  ['53000', passing],
  ['53100', passing],
  ['53200', passing],
  ['53300', passing],
  ['53400', passing],
  // 55: object not in prerequisite state
  ['55000', passing],
  ['55006', passing],
  ['55P03', passing],
  // 57: operator intervention
  ['57014', passing],
  ['57P01', passing],
  ['57P02', passing],
  ['57P03', passing],
  ['57P05', passing],
  // 58: system error, external to Postgres
  ['58000', passing],
  ['58030', passing],
  // P0, XX: raised by a function, internal error
  ['P0001', unknown],
  ['XX000', unknown],
  // The driver's and the system's own.
  ['CONNECT_TIMEOUT', passing],
  ['CONNECTION_CLOSED', passing],
  ['CONNECTION_ENDED', passing],
  ['CONNECTION_DESTROYED', passing],
  ['ECONNREFUSED', passing],
  ['ECONNRESET', passing],
  ['EAI_AGAIN', passing],
  ['EHOSTUNREACH', passing],
  ['ENETUNREACH', passing],
  ['ENOTFOUND', passing],
  ['EPIPE', passing],
  ['ETIMEDOUT', passing],
  // No SQLSTATE, whatever they begin with.
  ['22', unknown],
  ['225', unknown],
  ['22:05', unknown],
  ['220222', unknown],
  ['08abc', unknown],
  ['EPERM', unknown],
])('%s', (code, expected) => {
  expect(known(code)).toEqual(expected)
})

test('a fault stays itself, and what is no error is a failure of the stage', () => {
  const fault = new Fault('tool.refused', 'no')
  expect(toFault(fault)).toBe(fault)
  for (const thrown of [undefined, null, 'words', 22, { code: 22021 }, new Error('bug')]) {
    expect(toFault(thrown)).toMatchObject({ code: 'stage.failed', class: 'retryable', cause: thrown })
  }
})

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
  await store.database.unsafe(`
    create table parent (id int primary key);
    create table child (
      id int primary key, parent int references parent, name varchar(3), count int not null check (count > 0), data jsonb)`)
})
afterAll(() => store.drop())

test.each([
  ['text with a NUL', 'hex', "insert into child (id, name, count) values (1, convert_from('\\x00', 'UTF8'), 1)"],
  ['an escaped NUL in JSON', 'jsonb', `insert into child (id, count, data) values (1, 1, '{"a":"\\u0000"}')`],
  ['what is no JSON', 'jsonb', `insert into child (id, count, data) values (1, 1, 'wordsofaperson')`],
  ['what is no number', 'int', `insert into child (id, count) values (1, 'wordsofaperson')`],
  ['a number that is too large', 'int', 'insert into child (id, count) values (1, 99999999999)'],
  ['text that is too long', 'varchar', `insert into child (id, count, name) values (1, 1, 'wordsofaperson')`],
  ['nothing where something must be', 'child.count', 'insert into child (id) values (1)'],
  ['a value that a check refuses', 'child_count_check', 'insert into child (id, count) values (1, 0)'],
  ['a reference to nothing', 'child_parent_fkey', 'insert into child (id, count, parent) values (1, 1, 7)'],
  ['a key twice', 'child_pkey', 'insert into child (id, count) values (1, 1), (1, 2)'],
])('Postgres itself refuses %s for good, and no value of it is told on', async (_what, where, statement) => {
  const error = await store.database.unsafe(statement).catch((thrown: unknown) => thrown)
  const fault = toFault(error)
  expect(fault).toMatchObject({ code: 'store.data-refused', class: 'terminal', status: 422, cause: error })
  expect(fault.message).toMatch(/^Postgres: 2[23]\w{3}/)
  expect(fault.message).not.toContain('wordsofaperson')
  if (where.startsWith('child')) expect(fault.message).toContain(where)
})
