import type { Attachment, Message, Offer } from './api.ts'
import { element, icon, icons } from './element.ts'
import { type Block, readMarkdown, type Span } from './markdown.ts'
import type { Unsent } from './thread.ts'
import { agentTitle, channelTitle, dayOf, fileSize, nameOf, timeOf } from './words.ts'

/** More facts than this are folded away under their title. */
const unfolded = 8

/** A message of the conversation. Every word of it goes into text nodes. */
export function drawMessage(message: Message, person: string): HTMLElement {
  const mine = message.role === 'employee'
  const from = mine ? 'You' : message.role === 'approver' ? 'Decision' : agentTitle(message.agent)
  const via = channelTitle(message.channel)
  return element(
    'article',
    { class: `message ${mine ? 'mine' : 'theirs'}`, 'aria-label': mine ? `You, ${nameOf(person)}` : from },
    mine ? null : element('div', { class: 'face' }, icon(message.role === 'approver' ? icons.decide : icons.agent)),
    element(
      'div',
      { class: 'says' },
      element(
        'header',
        {},
        mine ? element('span', { class: 'unseen' }, 'You') : element('strong', {}, from),
        via === null ? null : element('span', {}, `by ${via}`),
        element('time', { datetime: message.created_at, title: dayOf(message.created_at) }, timeOf(message.created_at)),
      ),
      // Only what an agent wrote is laid out; what people write stays as they wrote it.
      message.role === 'agent'
        ? element('div', { class: 'text' }, ...readMarkdown(message.content).map(drawBlock))
        : element('div', { class: 'text plain' }, message.content),
      drawFiles(message.attachments),
    ),
  )
}

/** A message on its way, or one that could not be sent. */
export function drawUnsent(unsent: Unsent, again: () => void, drop: () => void): HTMLElement {
  const failed = unsent.state === 'failed'
  return element(
    'article',
    { class: `message mine ${failed ? 'failed' : 'sending'}`, 'aria-label': failed ? 'You, not sent' : 'You, sending' },
    element(
      'div',
      { class: 'says' },
      element(
        'header',
        {},
        element('span', { class: 'unseen' }, 'You'),
        element('time', { datetime: unsent.at }, timeOf(unsent.at)),
      ),
      element('div', { class: 'text plain' }, unsent.content),
      drawFiles(unsent.attachments),
      failed
        ? element(
            'div',
            { class: 'trouble' },
            element('span', {}, unsent.why ?? 'This was not sent.'),
            element('button', { type: 'button', click: again }, 'Try again'),
            element('button', { type: 'button', click: drop }, 'Remove'),
          )
        : null,
    ),
  )
}

function drawFiles(files: readonly Attachment[]): HTMLElement | null {
  if (files.length === 0) return null
  const links = files.map(({ id, name, bytes }) =>
    element(
      'li',
      {},
      element(
        'a',
        { href: `/api/v1/attachments/${encodeURIComponent(id)}`, download: name },
        icon(icons.file),
        element('span', {}, name),
        element('small', {}, fileSize(bytes)),
      ),
    ),
  )
  return element('ul', { class: 'files', 'aria-label': 'Attachments' }, ...links)
}

function drawBlock(block: Block): HTMLElement {
  switch (block.kind) {
    case 'paragraph':
      return element('p', {}, ...drawLines(block.lines))
    case 'heading':
      return element('p', { class: 'heading' }, ...block.text.map(drawSpan))
    case 'rule':
      return element('hr')
    case 'list': {
      const items = block.items.map(({ text, lines }) =>
        element('li', {}, ...text.map(drawSpan), ...lines.map((line) => element('div', {}, ...line.map(drawSpan)))),
      )
      return block.ordered ? element('ol', { start: String(block.start) }, ...items) : element('ul', {}, ...items)
    }
    case 'facts': {
      const rows = block.facts.map(({ name, value }) =>
        element('div', {}, element('dt', {}, name), element('dd', {}, ...value.map(drawSpan))),
      )
      const facts = element('dl', {}, ...rows)
      if (block.title === null) return facts
      const summary = element('summary', {}, element('strong', {}, block.title), icon(icons.down))
      return element('details', { open: block.facts.length <= unfolded }, summary, facts)
    }
  }
}

function drawLines(lines: Span[][]): (Node | string)[] {
  return lines.flatMap((line, index) => [...(index === 0 ? [] : [element('br')]), ...line.map(drawSpan)])
}

function drawSpan({ kind, text }: Span): Node | string {
  if (kind === 'strong') return element('strong', {}, text)
  return kind === 'reference' ? element('sup', { class: 'reference' }, text.slice(1, -1)) : text
}

/** What can be pressed: cards for choices, two buttons for a yes or no. */
export function drawOffer(offer: Offer, press: (content: string, approval: string | null) => void): HTMLElement {
  if (offer.kind === 'choices') {
    const cards = offer.choices.map(({ title, reply }) =>
      element(
        'button',
        { type: 'button', class: 'card', click: () => press(reply, null) },
        element('span', {}, title),
        icon(icons.next),
      ),
    )
    return element('div', { class: 'offer choices', role: 'group', 'aria-label': 'Choices' }, ...cards)
  }
  const until = new Date(offer.expiresAt)
  return element(
    'div',
    { class: 'offer confirm', role: 'group', 'aria-label': 'Your confirmation' },
    element('p', {}, icon(icons.decide), 'Nothing is done without your yes.'),
    element(
      'div',
      { class: 'buttons' },
      element('button', { type: 'button', class: 'primary', click: () => press('yes', offer.id) }, 'Yes, do it'),
      element('button', { type: 'button', click: () => press('no', offer.id) }, 'No'),
    ),
    Number.isNaN(until.getTime())
      ? null
      : element('small', {}, 'Open until ', element('time', { datetime: offer.expiresAt }, untilText(until))),
  )
}

function untilText(until: Date): string {
  return until.toLocaleString([], { weekday: 'short', hour: '2-digit', minute: '2-digit' })
}
