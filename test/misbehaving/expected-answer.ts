import type { Decision } from '../../shared/store/decisions.ts'

/** Where a conversation with the agents of this folder stands. */
export type Place = { at: 'start' } | { at: 'notes'; count: number } | { at: 'sure'; thing: string }

/** What an employee says, or what somebody else decided about what they asked for. */
export type Said = { kind: 'words'; text: string } | { kind: 'decision'; thing: string; decision: Decision }

const toldAs: Record<Decision, string> = { granted: 'Ordered', declined: 'Refused', expired: 'Nobody decided on' }

export const start: Place = { at: 'start' }

/**
 * The agents of this folder, written a second time as a function: what one message after the other is answered. `late`:
 * the question was asked longer ago than a yes to it counts.
 */
export function expectedAnswer(place: Place, said: Said, late = false): { answer: string; place: Place } {
  if (said.kind === 'decision') {
    return { answer: `${toldAs[said.decision]} ${said.thing}.`, place }
  }
  const { text } = said
  const [first] = text.split(' ')
  if (place.at === 'notes' && first === 'finish') {
    return { answer: `Closed after ${place.count} notes.`, place: start }
  }
  if (place.at === 'notes' && first !== 'order') return note(place.count + 1, text)
  if (place.at === 'sure' && first === 'yes' && !late) return { answer: `Asked for ${place.thing}.`, place: start }
  if (place.at === 'sure' && first !== 'note') return { answer: `Dropped ${place.thing}.`, place: start }
  if (first === 'note') return note(1, text)
  if (first === 'order') return { answer: `Shall I ask for ${text}? (yes or no)`, place: { at: 'sure', thing: text } }
  return { answer: 'A note or an order?', place: start }
}

function note(count: number, text: string): { answer: string; place: Place } {
  return { answer: `Note ${count}: ${text}`, place: { at: 'notes', count } }
}
