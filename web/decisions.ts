import { call, post, Refusal } from './api.ts'
import { byId, element, icon, icons } from './element.ts'
import { fieldTitle, nameOf } from './words.ts'

interface Asked {
  id: string
  requester: string
  question: string
  arguments: Record<string, unknown>
}

/** Other people's requests that wait for this person's yes or no. */
export interface Decisions {
  refresh(): Promise<void>
}

export function createDecisions(say: (sentence: string) => void): Decisions {
  const place = byId('decisions')
  const patience = { waiting: () => say('One moment …') }
  let asked: Asked[] = []

  const decide = async (one: Asked, decision: 'approve' | 'decline', card: HTMLElement): Promise<void> => {
    for (const button of card.querySelectorAll('button')) button.disabled = true
    try {
      await post(`/api/v1/approvals/${one.id}`, { decision }, {}, patience)
      say(`${decision === 'approve' ? 'Approved' : 'Declined'}. ${nameOf(one.requester)} is told.`)
    } catch (error) {
      say(error instanceof Refusal ? error.message : 'That did not get through. Please try again.')
      for (const button of card.querySelectorAll('button')) button.disabled = false
      if (!(error instanceof Refusal && error.status === 409)) return
    }
    asked = asked.filter(({ id }) => id !== one.id)
    draw()
  }

  const drawOne = (one: Asked): HTMLElement => {
    const facts = Object.entries(one.arguments).filter(([, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value),
    )
    const rows = facts.map(([name, value]) =>
      element('div', {}, element('dt', {}, fieldTitle(name)), element('dd', {}, String(value))),
    )
    const card: HTMLElement = element(
      'li',
      {},
      element('p', {}, element('strong', {}, nameOf(one.requester)), element('small', {}, one.requester)),
      element('p', {}, one.question.replaceAll('**', '')),
      rows.length === 0 ? null : element('dl', {}, ...rows),
      element(
        'div',
        { class: 'buttons' },
        element(
          'button',
          { type: 'button', class: 'primary', click: () => void decide(one, 'approve', card) },
          'Approve',
        ),
        element('button', { type: 'button', click: () => void decide(one, 'decline', card) }, 'Decline'),
      ),
    )
    return card
  }

  const draw = (): void => {
    place.hidden = asked.length === 0
    place.replaceChildren()
    if (asked.length === 0) return
    const count = asked.length === 1 ? 'A request waits' : `${asked.length} requests wait`
    place.replaceChildren(
      element('h2', {}, icon(icons.decide), `${count} for your decision`),
      element('ul', {}, ...asked.map(drawOne)),
    )
  }

  return {
    async refresh() {
      try {
        const answer: { approvals: Asked[] } = await (await call('/api/v1/approvals', {}, patience)).json()
        asked = answer.approvals
        draw()
      } catch (error) {
        // The next look shows them; whoever is not signed in any more is told by the conversation.
        if (!(error instanceof Refusal || error instanceof TypeError)) throw error
      }
    },
  }
}
