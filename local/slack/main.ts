import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toEvent, toMessageEvent, toPress } from './payloads.ts'
import { type PlayedCall, readPlay } from './plays.ts'
import { eventCall, formCall, type SlackCall } from './sign.ts'
import { startSlackStandIn } from './start.ts'
import { addMember, createWorkspace } from './workspace.ts'

/**
 * The stand-in as a process. Beside Slack's Web API it has what a person does in a client, for this machine alone:
 * `POST /local/say` {email, text, thread?}, `POST /local/press` {email, ts, title}, `POST /local/command` {email, text},
 * and `GET /local/posts?email=…`, their direct messages.
 */
const { env } = process
const app = env['SLACK_APP_URL'] ?? 'http://127.0.0.1:8080'
const secret = env['SLACK_SIGNING_SECRET'] || 'local-slack-signing-secret'
const workspace = createWorkspace(() => new Date(), env['SLACK_BOT_TOKEN'] || 'xoxb-local')

/** The account of an address, made with the first word of it. */
function userOf(email: string): string {
  const id = `U${createHash('sha256').update(email).digest('hex').slice(0, 10).toUpperCase()}`
  if (!workspace.users.has(id)) addMember(workspace, id, email)
  return id
}

function callOf(call: PlayedCall): SlackCall {
  const user = userOf(call.email)
  const direct = workspace.directOf(user)
  const signed = { secret, at: new Date() }
  if (call.kind === 'say') {
    const post = workspace.say(user, direct, call.text, call.thread)
    return eventCall(toEvent(workspace, toMessageEvent(workspace, post), post.ts), signed)
  }
  if (call.kind === 'press') {
    const post = workspace.posts.find(({ ts }) => ts === call.ts)
    if (post === undefined) throw new Error('there is no such message')
    const payload = JSON.stringify(toPress(workspace, post, { user, title: call.title }))
    return formCall('interactions', { payload }, signed)
  }
  const fields = { team_id: workspace.team, channel_id: direct, user_id: user, command: '/agent', text: call.text }
  return formCall('commands', { ...fields, trigger_id: workspace.nextTs() }, signed)
}

function more(request: IncomingMessage, response: ServerResponse): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const answer = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`)
  if (pathname === '/health') return Boolean(response.writeHead(200).end('OK'))
  if (!pathname.startsWith('/local/')) return false
  if (request.method === 'GET') {
    const direct = workspace.directOf(userOf(searchParams.get('email') ?? ''))
    answer(
      200,
      workspace.posts.filter(({ channel }) => channel === direct),
    )
    return true
  }
  const play = async () => {
    const { path, headers, body } = callOf(await readPlay(pathname, request))
    const told = await fetch(app + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(3_000) })
    answer(told.status, { status: told.status, shown: await told.text() })
  }
  play().catch((error: unknown) => answer(400, { error: String(error) }))
  return true
}

const standIn = await startSlackStandIn(workspace, {
  port: Number(env['PORT'] ?? '8096'),
  hostname: env['HOST'] ?? '127.0.0.1',
  more,
})
console.log(JSON.stringify({ level: 'info', message: 'Slack stand-in listens', url: standIn.url }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void standIn.close().then(() => process.exit(0)))
}
