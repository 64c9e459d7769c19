import { createHmac } from 'node:crypto'

/** A call as Slack makes it to an app: where to, signed or not. */
export interface SlackCall {
  path: string
  headers: Record<string, string>
  body: string
}

/** The headers of "Verifying requests from Slack" (docs.slack.dev/authentication/verifying-requests-from-slack). */
export function sign(body: string, options: { secret: string; at: Date }): Record<string, string> {
  const timestamp = String(Math.floor(options.at.getTime() / 1_000))
  const signature = createHmac('sha256', options.secret).update(`v0:${timestamp}:${body}`).digest('hex')
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${signature}` }
}

export function eventCall(payload: unknown, options: { secret: string; at: Date }): SlackCall {
  const body = JSON.stringify(payload)
  const headers = { 'content-type': 'application/json', ...sign(body, options) }
  return { path: '/channels/slack/events', headers, body }
}

/** Interactions and commands come as forms. */
export function formCall(
  route: 'interactions' | 'commands',
  fields: Record<string, string>,
  options: { secret: string; at: Date },
): SlackCall {
  const body = new URLSearchParams(fields).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...sign(body, options) }
  return { path: `/channels/slack/${route}`, headers, body }
}
