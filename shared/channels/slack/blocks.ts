import { createHash } from 'node:crypto'
import type { Offer } from '../../flow/index.ts'
import type { Outgoing } from '../channel.ts'
import { longestSection, toSections } from './split.ts'

/**
 * Limits of Block Kit (docs.slack.dev/reference/block-kit): buttons of an actions block, and characters of a button's
 * title and value. A message of more than about 13,000 characters is refused (slackapi/bolt-js#2509), so that three
 * sections are a message.
 */
const limits = { buttons: 25, title: 75, value: 2_000, sections: 3, blocks: 50 }

/** The most characters of one of our messages. */
export const longestMessage = limits.sections * longestSection

export interface SlackMessage {
  /** For notifications and screen readers, which read no blocks. */
  text: string
  blocks: SlackBlock[]
}

export type SlackBlock = Record<string, unknown> & { type: string }

/** What a press tells us; it is in `action_id`, before a number that only makes it unique. */
export type Press = 'choose' | 'yes' | 'no' | 'feedback'

/** An answer as Slack's messages, with its buttons under the last one. */
export function toMessages(outgoing: Pick<Outgoing, 'text' | 'offer' | 'person' | 'turn'>): SlackMessage[] {
  const sections = toSections(outgoing.text)
  const messages: SlackMessage[] = []
  for (let from = 0; from < sections.length; from += limits.sections) {
    const texts = sections.slice(from, from + limits.sections)
    messages.push({ text: texts.join('\n\n'), blocks: texts.map(section) })
  }
  messages.at(-1)?.blocks.push(...buttonsOf(outgoing))
  return messages
}

/** `verbatim`: Slack makes no mention or link of what looks like one; our own are written as such. */
function section(text: string): SlackBlock {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }
}

/** A line that says what became of a message's buttons. */
export function note(text: string): SlackBlock {
  return { type: 'context', elements: [{ type: 'plain_text', text: clip(text, 300), emoji: false }] }
}

function buttonsOf({ offer, person, turn }: Pick<Outgoing, 'offer' | 'person' | 'turn'>): SlackBlock[] {
  if (offer === null) return [feedback(turn)]
  const buttons = buttonsOfOffer(offer)
  const blocks: SlackBlock[] = []
  for (let from = 0; from < buttons.length && blocks.length < limits.blocks - limits.sections; from += limits.buttons) {
    const block_id = `${addressee(person)}/${from / limits.buttons}`
    blocks.push({ type: 'actions', block_id, elements: buttons.slice(from, from + limits.buttons) })
  }
  return blocks
}

/** Buttons name who they are for, so that in a channel nobody else presses them by mistake; code decides what counts. */
export function addressee(person: string): string {
  return `for-${createHash('sha256').update(person).digest('hex').slice(0, 16)}`
}

function buttonsOfOffer(offer: Offer): SlackBlock[] {
  if (offer.kind === 'approval') {
    return [{ ...button('yes', 0, 'Yes', offer.id), style: 'primary' }, button('no', 0, 'No', offer.id)]
  }
  return offer.choices
    .filter(({ title, reply }) => title !== '' && reply !== '' && reply.length <= limits.value)
    .map(({ title, reply }, at) => button('choose', at, title, reply))
}

function button(press: Press, at: number, title: string, value: string): SlackBlock {
  const text = { type: 'plain_text', text: clip(title, limits.title), emoji: false }
  return { type: 'button', action_id: `${press}-${at}`, text, value }
}

function feedback(turn: string): SlackBlock {
  const side = (title: string, label: string, value: string) => ({
    text: { type: 'plain_text', text: title },
    accessibility_label: label,
    value: `${value}/${turn}`,
  })
  return {
    type: 'context_actions',
    elements: [
      {
        type: 'feedback_buttons',
        action_id: 'feedback-0',
        positive_button: side('👍', 'This answer helped', 'good'),
        negative_button: side('👎', 'This answer did not help', 'bad'),
      },
    ],
  }
}

function clip(text: string, limit: number): string {
  const whole = [...text]
  // Slack counts UTF-16 units, as JavaScript's length does; half a character is none.
  while (whole.join('').length > limit) whole.splice(-2, 2, '…')
  return whole.join('')
}
