import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { judgeMail, type Verdict } from './judge-mail.ts'
import { now, type Row, table, tableDns } from './testing/message-table.ts'

let letIn = 0
let tried = 0
afterAll(async () => {
  const reports = join(import.meta.dirname, '../../../reports')
  await mkdir(reports, { recursive: true })
  await writeFile(join(reports, 'abuse-email.json'), `${JSON.stringify({ tried, letIn }, null, 2)}\n`)
})

const judge = async (row: Row) =>
  judgeMail(await row.bytes(), {
    settings: {
      addresses: ['agent@company.com'],
      domains: ['company.com'],
      authservId: null,
      borderHost: null,
      ...row.settings,
    },
    ...{ resolve: tableDns, now },
  })

test.each(table)('$name', async (row) => {
  const verdict = await judge(row)
  if (row.hostile) {
    tried += 1
    if (verdict.kind === 'message') letIn += 1
  }
  expect(shownOf(verdict, row)).toEqual(expectedOf(row))
})

/** The same fields of a verdict as the row's fate has. */
function shownOf(verdict: Verdict, { fate }: Row): unknown {
  if (verdict.kind === 'message') {
    const { text, subject, files } = verdict.mail
    const expects = 'message' in fate ? fate : null
    return {
      ...{ kind: 'message', text },
      ...(expects?.subject !== undefined && { subject }),
      ...(expects?.files !== undefined && { files: files.map(({ name }) => name) }),
    }
  }
  if (verdict.kind === 'later') return { kind: 'later' }
  const pointer = verdict.kind === 'stranger' && 'stranger' in fate && fate.pointer !== undefined
  return { kind: verdict.kind, why: verdict.why, ...(pointer && { pointer: verdict.pointer }) }
}

function expectedOf({ fate }: Row): unknown {
  const like = (text: string | RegExp) => (typeof text === 'string' ? text : expect.stringMatching(text))
  if ('message' in fate) {
    const { message, ...more } = fate
    return { kind: 'message', text: like(message), ...more }
  }
  if ('nobody' in fate) return { kind: 'nobody', why: fate.nobody }
  if ('later' in fate) return { kind: 'later' }
  if ('unreadable' in fate) return { kind: 'unreadable', why: like(fate.unreadable) }
  const { stranger, ...more } = fate
  return { kind: 'stranger', why: like(stranger), ...more }
}

test('each file is in the table', async () => {
  const { readdir, readFile } = await import('node:fs/promises')
  const files = await readdir(join(import.meta.dirname, 'testing/messages'))
  const source = await readFile(join(import.meta.dirname, 'testing/message-table.ts'), 'utf8')
  expect(files.filter((file) => !source.includes(`'${file.replace('.eml', '')}'`))).toEqual([])
  expect(files.length).toBeGreaterThanOrEqual(40)
})
