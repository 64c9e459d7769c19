import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sign } from '../../../local/slack/sign.ts'
import { createWorkspace } from '../../../local/slack/workspace.ts'
import { Fault } from '../../errors/fault.ts'
import { checkSignature } from './signature.ts'
import { forgeriesOf } from './testing/forgeries.ts'

const now = new Date('2026-11-24T09:00:00Z')
const secret = '8f742231b10e8888abcd99yyyzzz85a5'
const check = (headers: Record<string, string>, body: string, at = now) =>
  checkSignature({ headers: new Headers(headers), body: new TextEncoder().encode(body) }, secret, at)

test("the example of Slack's own documentation is good", () => {
  // docs.slack.dev/authentication/verifying-requests-from-slack, "Step-by-step walk-through".
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&' +
    'user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&' +
    'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&' +
    'trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
  const headers = {
    'x-slack-request-timestamp': '1531420618',
    'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  }
  expect(() => check(headers, body, new Date(1_531_420_618_000))).not.toThrow()
  expect(() => check(headers, body, new Date(1_531_420_919_000))).toThrow('signed 301 s ago')
})

test('a proof is good for five minutes, on both sides of now', () => {
  for (const seconds of [-300, -1, 0, 1, 300]) {
    const at = new Date(now.getTime() + seconds * 1_000)
    expect(() => check(sign('{}', { secret, at }), '{}')).not.toThrow()
  }
})

test('of everything that pretends to be Slack nothing is let in, and the figures are kept', async () => {
  const forgeries = forgeriesOf(
    createWorkspace(() => now),
    { text: 'open a ticket', secret, now: () => now },
  )
  const letIn: string[] = []
  for (const { name, kind, call } of forgeries) {
    try {
      check(call.headers, call.body)
      letIn.push(name)
    } catch (error) {
      expect(Fault.is(error) && error.code, name).toBe(`channel.${kind}`)
    }
  }
  expect(letIn).toEqual([])
  const count = (wanted: string) => forgeries.filter(({ kind }) => kind === wanted).length
  const report = { tried: forgeries.length, forged: count('forged'), replayed: count('replayed'), letIn: letIn.length }
  const reports = join(import.meta.dirname, '../../../reports')
  await mkdir(reports, { recursive: true })
  await writeFile(join(reports, 'abuse-slack.json'), `${JSON.stringify(report, null, 2)}\n`)
})

test('signatures are compared in constant time', () => {
  const source = readFileSync(new URL('./signature.ts', import.meta.url), 'utf8')
  expect(source).toContain('timingSafeEqual(expected')
})
