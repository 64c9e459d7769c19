import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePorts } from '../../../local/platform/ports.ts'
import { toEvent, toMessageEvent } from '../../../local/slack/payloads.ts'
import { eventCall } from '../../../local/slack/sign.ts'
import { type SlackStandIn, startSlackStandIn } from '../../../local/slack/start.ts'
import { addMember, createWorkspace } from '../../../local/slack/workspace.ts'
import { ensureBuild, root } from '../../../test/build.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts'

/** Milliseconds after which Slack gives a call up (docs.slack.dev/apis/events-api, "Responding to events"). */
const patience = 3_000
const secret = 'a-signing-secret'
const workspace = createWorkspace(() => new Date())
const published: string[] = []
const broker = createServer((request, response) => {
  published.push(String(request.headers['ce-type']))
  request.resume().on('end', () => response.writeHead(202).end())
})

let db: TestDatabase
let standIn: SlackStandIn
beforeAll(async () => {
  await ensureBuild()
  db = await createTestDatabase()
  addMember(workspace, 'U0ALICE', 'alice.johnson@company.com')
  standIn = await startSlackStandIn(workspace)
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
}, 120_000)
afterAll(async () => {
  broker.close()
  await standIn.close()
  await db.drop()
})

/** From the start of the door's process to its answer to an event that was there before it, of somebody it never saw. */
async function answerFromNothing(): Promise<number> {
  const [port = 0] = await findFreePorts(1)
  const sink = `http://127.0.0.1:${(broker.address() as AddressInfo).port}/ns/default`
  await db.database`delete from identities`
  const began = performance.now()
  const child = spawn(process.execPath, [join(root, 'build/main.js')], {
    env: {
      ...process.env,
      ...{ FUNC_STAGE: 'ingress', PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', DATABASE_URL: db.url },
      ...{ K_SINK: sink, OIDC_ISSUER: sink, OIDC_AUDIENCE: 'test', OIDC_JWKS_URL: `${sink}/jwks` },
      ...{ SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: workspace.bot.token, SLACK_API_URL: standIn.url },
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    const post = workspace.say('U0ALICE', 'D0ALICE', 'refresh')
    const { path, headers, body } = eventCall(toEvent(workspace, toMessageEvent(workspace, post), post.ts), {
      ...{ secret, at: new Date() },
    })
    for (;;) {
      // As an activator does: the call waits until somebody listens.
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body }).catch(() => null)
      if (answer !== null) {
        expect(answer.status).toBe(200)
        return performance.now() - began
      }
      await pause(2)
    }
  } finally {
    child.kill('SIGKILL')
  }
}

test('an event that finds no process is answered in time', async () => {
  const times: number[] = []
  for (let run = 0; run < 3; run += 1) times.push(await answerFromNothing())
  expect(published).toHaveLength(3)
  expect(await db.database`select from requests where channel = 'slack'`).toHaveLength(3)
  times.sort((a, b) => a - b)
  const report = {
    runs: times.length,
    medianMs: Math.round(times[1] ?? 0),
    longestMs: Math.round(times[2] ?? 0),
    patience,
  }
  await mkdir(join(root, 'reports'), { recursive: true })
  await writeFile(join(root, 'reports/slack-cold-start.json'), `${JSON.stringify(report, null, 2)}\n`)
  expect(Math.min(...times)).toBeLessThan(patience)
}, 60_000)
