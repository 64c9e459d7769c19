import { offerLink } from '../link.ts'
import type { SlackParts } from './parts.ts'
import { type Place, writeIdentity } from './thread.ts'
import type { Account } from './users.ts'

/** Said instead of taking one more message of somebody who waits for many answers. */
export const tooMany =
  'You have more messages waiting than I can take. I did not take this one: please send it again once I have answered.'

/**
 * What somebody is told whom Slack does not say who they are: where a sign-in can say it, with a link of their own, which
 * is shown to nobody else.
 */
export async function notVerified(
  parts: Pick<SlackParts, 'settings' | 'database' | 'now' | 'randomBytes'>,
  of: { account: Extract<Account, { kind: 'unverified' }> | { kind: 'program' }; team: string; user: string },
): Promise<string> {
  const { page } = parts.settings
  const isLinkable = of.account.kind === 'unverified' && of.account.linkable
  const sorry =
    'Sorry, I cannot tell from Slack who you are: your account has no confirmed e-mail address of this company. '
  if (page === null) return `${sorry}Please write to us by e-mail, or ask the service desk.`
  if (!isLinkable) return `${sorry}Please sign in at ${page} and ask there.`
  const link = await offerLink(parts, { identity: writeIdentity(of.team, of.user), channel: 'slack', page })
  return `${sorry}You can tell me once and for all: sign in at ${link} within 15 minutes. Give this link to nobody.`
}

/**
 * Says something that only this person sees, where they are. Where it cannot be said that is noted, and nothing waits for
 * it: it is a courtesy.
 */
export async function tell(
  parts: Pick<SlackParts, 'client' | 'log'>,
  to: { place: Place; user: string; text: string },
  signal: AbortSignal,
): Promise<void> {
  const { place, user, text } = to
  const direct = place.channel.startsWith('D')
  const body = {
    channel: place.channel,
    text,
    ...(place.thread !== null && { thread_ts: place.thread }),
    ...(!direct && { user }),
  }
  try {
    const answer = await parts.client.call(direct ? 'chat.postMessage' : 'chat.postEphemeral', body, signal)
    if (!answer.ok) parts.log.warn('a notice was not shown on Slack', { channel: place.channel, error: answer.error })
  } catch (error) {
    parts.log.warn('a notice was not shown on Slack', { channel: place.channel, error })
  }
}
