import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePorts } from '../../../local/platform/ports.ts'
import { type SlackStandIn, startSlackStandIn } from '../../../local/slack/start.ts'
import { addMember, createWorkspace } from '../../../local/slack/workspace.ts'
import { ensureBuild, root } from '../../../test/build.ts'
import { createWorld, type World } from '../../../test/world.ts'
import { eventTypes } from '../../events/catalogue.ts'
import { publishEvent } from '../../events/publish.ts'
import { recorder, sendersOf } from '../testing/recorder.ts'

/** Real processes of dispatch, of which the first is killed; the keeper's tick sends the same event to the next one. */
const workspace = createWorkspace(() => new Date())
let strikeAt = ''
const control = createServer((request, response) => {
  let body = ''
  request.on('data', (part: Buffer) => {
    body += part.toString()
  })
  request.on('end', () => {
    const { point, pid } = JSON.parse(body) as { point: string; pid: number }
    if (point === strikeAt) process.kill(pid, 'SIGKILL')
    response.end('go on')
  })
})
let standIn: SlackStandIn
let world: World
beforeAll(async () => {
  await ensureBuild()
  addMember(workspace, 'U0ALICE', 'alice.johnson@company.com')
  standIn = await startSlackStandIn(workspace)
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve))
  // What this world owes to Slack it cannot send: that is left to the processes.
  const away = recorder('slack')
  away.plays.push(...Array<'unavailable'>(20).fill('unavailable'))
  world = await createWorld({ start: new Date(), senders: sendersOf({ slack: away }) })
}, 120_000)
afterAll(async () => {
  control.close()
  control.closeAllConnections()
  await standIn.close()
  await world.close()
})

async function startDispatch(): Promise<{ child: ChildProcess; url: string }> {
  const [port = 0] = await findFreePorts(1)
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [join(root, 'build/main.js')], {
    env: {
      ...process.env,
      ...{
        FUNC_STAGE: 'dispatch',
        PORT: String(port),
        HOST: '127.0.0.1',
        LOG_LEVEL: 'error',
        DATABASE_URL: world.db.url,
      },
      FAULT_CONTROL: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
      ...{ SLACK_BOT_TOKEN: workspace.bot.token, SLACK_API_URL: standIn.url },
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  while (!(await fetch(`${url}/health/liveness`).catch(() => null))?.ok) await pause(5)
  return { child, url }
}

test.each([
  ['before it sends', 'dispatch: before send', 0],
  ['between sending and noting it', 'dispatch: after send', 1],
])(
  'dispatch killed %s: the answer is in Slack once',
  async (name, point, sent) => {
    const { database } = world.db
    const thread = `T0LOCAL/C0HELP/${workspace.say('U0ALICE', 'C0HELP', name).ts}`
    await world.pipeline.receive({
      ...{ channel: 'slack', message: name, person: 'alice.johnson@company.com', caller: 'slack:T0LOCAL/U0ALICE' },
      ...{ own: true, text: 'menu', thread, context: {}, button: null, attachments: [] },
    })
    const answer = world.pipeline.events.findLast(({ type }) => type === eventTypes.responseReady)
    if (answer === undefined) throw new Error('no answer')
    await database`update deliveries set next_try_at = null`
    const posts = () =>
      workspace.posts.filter((post) => post.bot_id !== null && thread.endsWith(String(post.thread_ts)))

    strikeAt = point
    const first = await startDispatch()
    const died = once(first.child, 'exit')
    await expect(publishEvent(first.url, answer, fetch, { delaysMs: [] })).rejects.toThrow()
    await died
    expect(posts()).toHaveLength(sent)
    expect(await database`select from deliveries where thread = ${thread} and state = 'sending'`).toHaveLength(1)

    strikeAt = ''
    // The dead one's lease is over.
    await database`update delivery_targets set lease_until = null`
    const second = await startDispatch()
    try {
      await publishEvent(second.url, answer, fetch)
    } finally {
      second.child.kill('SIGKILL')
      await once(second.child, 'exit')
    }
    expect(posts()).toHaveLength(1)
    expect(await database`select from deliveries where thread = ${thread} and state = 'delivered'`).toHaveLength(1)
  },
  30_000,
)
