import type { Choice, Offer } from '../../flow/index.ts'

/** What a mail says in words where another channel has buttons. */
export function offerInWords(text: string, offer: Offer | null): string {
  if (offer === null) return ''
  if (offer.kind === 'approval') return 'Reply with **yes** or **no**.'
  const listed = choicesToList(text, offer)
  if (listed.length === 0) return ''
  const lines = listed.map(({ title }, index) => `${index + 1}. ${title}`)
  return ['Reply with one of these, by its number or its name:', ...lines].join('\n')
}

/** The choices that a mail has to list: none where its text does so already, in numbers of its own. */
export function choicesToList(text: string, offer: Offer | null): readonly Choice[] {
  if (offer?.kind !== 'choices') return []
  const said = text.toLowerCase()
  return offer.choices.every(({ title }) => said.includes(title.toLowerCase())) ? [] : offer.choices
}

/** What the mail in which a delivery arrives says below the answer of files that were not taken. */
export function filesInWords(notTaken: unknown): string {
  if (!Array.isArray(notTaken)) return ''
  const lines = notTaken.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('name' in entry) || !('why' in entry)) return []
    return [`- ${String(entry.name)}: ${String(entry.why)}`]
  })
  return lines.length === 0 ? '' : ['I did not take these files:', ...lines].join('\n')
}

const yes = new Set([
  'yes',
  'approve',
  'approved',
  'i approve',
  'ok',
  'okay',
  'yes please',
  'go ahead',
  'confirm',
  'confirmed',
])
const no = new Set([
  'no',
  'decline',
  'declined',
  'i decline',
  'reject',
  'rejected',
  'no thanks',
  'no thank you',
  'deny',
  'denied',
])
const closing = /^(?:thanks|thank you|many thanks|kind|best|warm|regards|cheers|sincerely|greetings|br|kr|vg|lg|mfg)\b/i

/** The decision that a reply is, where it is nothing else: one word, and below it at most a greeting and a name. */
export function readDecision(text: string): boolean | null {
  const [first = '', ...rest] = text.split('\n').map((line) => line.trim())
  const below = rest.filter((line) => line !== '')
  const [greeting] = below
  if (
    greeting !== undefined &&
    (!closing.test(greeting) || below.length > 4 || below.some((line) => line.length > 60))
  ) {
    return null
  }
  const word = first
    .toLowerCase()
    .replace(/[.!,*"'“”]+/g, '')
    .trim()
  if (yes.has(word)) return true
  return no.has(word) ? false : null
}
