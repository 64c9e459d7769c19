import { type AuthenticateResult, authenticate, type DKIMResult } from 'mailauth'
import { readAuthenticationResults } from './authentication-results.ts'
import type { Mail } from './parse-mail.ts'
import type { ProofSettings } from './settings.ts'

/** Asks the DNS, as Node's own resolver does. */
export type Resolve = (domain: string, type: string) => Promise<string[][] | string[]>

/**
 * What proves, or does not, that the owner of the From address wrote the mail. `later`: the DNS that would say so does
 * not answer. `forged`: its domain's owner says that such a mail is not theirs.
 */
export type Proof =
  | { kind: 'proven'; by: 'dkim' | 'spf' | 'border'; detail: string }
  | { kind: 'unproven'; why: string; pointer: boolean }
  | { kind: 'later' }

/**
 * What has to be under a signature: else an old mail could be sent again under another subject, to another reader, or
 * as a new message.
 */
const mustBeSigned = ['from', 'subject', 'date', 'message-id']

/** More signatures than any forwarder adds; each costs a question to somebody's DNS. */
const mostSignatures = 10

/** Milliseconds by which a mail's date may differ from now: as long as servers try to deliver one (RFC 5321, 4.5.4.1). */
const oldestMs = 7 * 86_400_000
const newestMs = 86_400_000

/** Finds out who wrote a mail, from its bytes and what they were read as. */
export async function proveSender(
  raw: Buffer,
  mail: Mail,
  parts: { settings: ProofSettings; resolve: Resolve; now: Date },
): Promise<Proof> {
  const { settings, resolve, now } = parts
  if (mail.from === null) return unproven('it is not from one address')
  if (!mail.hasMessageId) return unproven('it has no Message-ID')
  const age = mail.date === null ? null : now.getTime() - mail.date.getTime()
  if (age === null || age > oldestMs || age < -newestMs)
    return { ...unproven('its date is not of these days'), pointer: false }
  const domain = mail.from.slice(mail.from.indexOf('@') + 1)
  const border = settings.authservId === null ? null : wordOfBorder(mail, settings.authservId, domain)
  if (border !== null) return border
  if (mail.headers.filter(({ key }) => key === 'dkim-signature').length > mostSignatures) {
    return unproven('it has too many signatures')
  }
  const hop = settings.borderHost === null ? null : lastHop(mail, settings.borderHost)
  const found = await authenticate(raw, {
    ...{ resolver: resolve, disableArc: true, disableBimi: true, minBitLength: 1024, rejectRsaSha1: true },
    // Without a hop of our own border there is no address that SPF could be asked about.
    ...{ mta: 'localhost', ...(hop ?? {}) },
  })
  return judge(found, mail, { domain, from: mail.from, settings, spf: hop !== null })
}

function judge(
  found: AuthenticateResult,
  mail: Mail,
  parts: { domain: string; from: string; settings: ProofSettings; spf: boolean },
): Proof {
  const { domain, from, settings, spf } = parts
  // Two readers of one header: where they differ, nobody knows whose word was checked.
  const readers = found.dkim.headerFrom ?? []
  if (readers.length !== 1 || readers[0]?.toLowerCase() !== from) return unproven('its From can be read in two ways')
  const signatures = found.dkim.results ?? []
  const whys: string[] = []
  for (const signature of signatures) {
    if (!isAligned(signature, found, domain)) continue
    if (signature.status.result === 'temperror') return { kind: 'later' }
    const why = whyWeak(signature, mail, settings.addresses)
    if (why === null) return { kind: 'proven', by: 'dkim', detail: signature.signingDomain ?? domain }
    whys.push(why)
  }
  const dmarc = found.dmarc === false ? null : found.dmarc
  if (dmarc?.status.result === 'temperror') return { kind: 'later' }
  if (spf && dmarc?.status.result === 'pass' && dmarc.alignment.spf.result) {
    return { kind: 'proven', by: 'spf', detail: domain }
  }
  // The owner of its domain says that such a mail is not theirs.
  const disowned = dmarc?.status.result === 'fail' && dmarc.policy === 'reject'
  return { ...unproven(whys[0] ?? 'nothing signs for its sender'), pointer: !disowned }
}

/** A failed signature keeps what it would have been aligned with; one that passed follows DMARC's own reading. */
function isAligned({ status }: DKIMResult, found: AuthenticateResult, domain: string): boolean {
  if (!status.aligned) return false
  if (found.dmarc === false || !found.dmarc.alignment) return true
  return !found.dmarc.alignment.dkim.strict || status.aligned.toLowerCase() === domain
}

/** Why a signature proves nothing to us; null: it does. */
function whyWeak(signature: DKIMResult, mail: Mail, ownAddresses: readonly string[]): string | null {
  if (signature.status.result !== 'pass') return `its signature does not hold: ${signature.status.result}`
  if (signature.signatureTimeValid === false) return 'its signature is over'
  if (signature.status.underSized || signature.canonBodyLengthLimited) return 'its signature covers a part of it'
  if (signature.status.testing) return 'its signature is a test'
  const signed = (signature.signingHeaders?.keys ?? '')
    .toLowerCase()
    .split(':')
    .map((name) => name.trim())
  const naming = mail.to.filter(({ address }) => ownAddresses.includes(address)).map(({ field }) => field)
  if (!naming.some((field) => signed.includes(field))) return 'its signature does not cover to whom it is'
  for (const name of [...mustBeSigned, ...new Set(naming)]) {
    const times = mail.headers.filter(({ key }) => key === name).length
    if (times > 0 && !signed.includes(name)) return `its signature does not cover ${name}`
    // A second one, unsigned, could be what is read.
    if (times > 1) return `it has ${name} twice`
  }
  return null
}

/** What our own border says, where it says anything; only its topmost header counts, as it adds them on top. */
function wordOfBorder(mail: Mail, authservId: string, domain: string): Proof | null {
  for (const { key, value } of mail.headers) {
    if (key !== 'authentication-results') continue
    const said = readAuthenticationResults(value)
    if (said === null) {
      // One that cannot be read may be the border's own, made unreadable: below it nothing counts.
      return unproven('its Authentication-Results cannot be read')
    }
    if (said.authservId !== authservId) continue
    const dmarc = said.results.filter(({ method }) => method === 'dmarc')
    const dkim = said.results.filter(({ method }) => method === 'dkim')
    if (dmarc.length > 0) {
      const passes = dmarc.every(({ result, properties }) => {
        return result === 'pass' && properties['header.from']?.toLowerCase() === domain
      })
      if (passes) return { kind: 'proven', by: 'border', detail: authservId }
      const disowned = dmarc.some(
        ({ result, properties }) => result === 'fail' && properties['policy.dmarc'] === 'reject',
      )
      return { ...unproven('our border says that DMARC does not pass'), pointer: !disowned }
    }
    const signs = ({ result, properties }: (typeof dkim)[number]) =>
      result === 'pass' && domainOf(properties['header.d'] ?? properties['header.i'] ?? '') === domain
    return dkim.some(signs) ? { kind: 'proven', by: 'border', detail: authservId } : null
  }
  return null
}

function domainOf(text: string): string {
  return text.slice(text.lastIndexOf('@') + 1).toLowerCase()
}

/**
 * Who handed the mail to our border, by the topmost Received header that it signed (RFC 5321, 4.4), and the reverse-path
 * that was written above it, on the last hop. Null where there is none: then nothing was proven by an address.
 */
function lastHop(mail: Mail, borderHost: string): { ip: string; helo: string; sender: string } | null {
  const at = mail.headers.findIndex(({ key, value }) => {
    return key === 'received' && /\bby\s+(\S+)/i.exec(withoutComments(value))?.[1]?.toLowerCase() === borderHost
  })
  if (at === -1) return null
  const { value } = mail.headers[at] ?? { value: '' }
  const [, helo, comment] = /^from\s+(\S+)\s+\(((?:[^()]|\([^()]*\))*)\)/i.exec(value) ?? []
  const ip = /\[(?:IPv6:)?([0-9a-f.:]+)\]/i.exec(comment ?? '')?.[1]
  const path = mail.headers.slice(0, at).find(({ key }) => key === 'return-path')?.value
  const sender = /^<([^<>\s]+@[^<>\s]+)>$/.exec(path ?? '')?.[1]
  return helo === undefined || ip === undefined || sender === undefined ? null : { ip, helo, sender }
}

function withoutComments(value: string): string {
  let text = value
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(/\([^()]*\)/g, ' ')
  }
  return text
}

function unproven(why: string): { kind: 'unproven'; why: string; pointer: boolean } {
  return { kind: 'unproven', why, pointer: true }
}
