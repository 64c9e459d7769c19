import { Fault } from '../../errors/fault.ts'
import { escapeText, fromMrkdwn } from './mrkdwn.ts'
import type { SlackParts } from './parts.ts'
import { readCommand } from './payloads.ts'
import { notVerified, tooMany } from './tell.ts'
import { writeIdentity } from './thread.ts'

/** Characters of the words that are repeated to whoever typed them: nobody else sees a command. */
const repeated = 300

/**
 * Takes a slash command: its words are a message, which is answered in direct messages, because a command stands in no
 * thread. Slack sends a command once; its trigger's id tells a second one of the same.
 */
export async function takeCommand(parts: SlackParts, body: Uint8Array, signal: AbortSignal): Promise<Response> {
  const { team_id: team, user_id: user, text = '', trigger_id, command } = readCommand(body)
  if (command !== parts.settings.command)
    throw new Fault('request.malformed', `slack: ${parts.settings.command} is meant`)
  const words = fromMrkdwn(text, null)
  if (words === '') return say(`Write what you need behind the command: ${command} I need a new laptop`)
  try {
    const account = await parts.directory.find(team, user, signal)
    if (account.kind !== 'person') return say(await notVerified(parts, { account, team, user }))
    await parts.receive({
      ...{ channel: 'slack', message: `${team}/command/${trigger_id}`, person: account.email },
      ...{ caller: writeIdentity(team, user), own: true, text: words, thread: `${team}/${user}` },
      ...{ context: { team, user, command }, button: null, attachments: [] },
    })
  } catch (error) {
    if (!Fault.is(error)) throw error
    if (error.code === 'request.too-large')
      return say('That is longer than I can take. Could you say it in fewer words?')
    if (error.code === 'request.too-many') return say(tooMany)
    // A command is not sent again: whoever typed it has to know.
    if (error.class === 'terminal') throw error
    parts.log.error('a slash command could not be taken', { code: error.code, error })
    return say('Sorry, I cannot take that at the moment. Please try again in a minute.')
  }
  const shown = words.length > repeated ? `${words.slice(0, repeated)}…` : words
  return say(`I have got “${escapeText(shown)}” and answer in our direct messages.`)
}

/** To be seen by whoever typed the command alone. */
function say(text: string): Response {
  return Response.json({ response_type: 'ephemeral', text })
}
