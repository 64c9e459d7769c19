import { whyAutomatic } from './automatic.ts'
import { type Mail, parseMail } from './parse-mail.ts'
import { type Proof, proveSender, type Resolve } from './prove-sender.ts'
import type { ProofSettings } from './settings.ts'

/**
 * What becomes of a mail. `message`: its writer is known. `stranger`: who wrote it is not known, or is nobody whom we
 * serve; `pointer` says whether a hint at another way may be sent there. `nobody`: no person wrote it to us. `later`:
 * the DNS did not say. `unreadable`: it cannot be read at all.
 */
export type Verdict =
  | { kind: 'message'; mail: Mail; person: string; proof: Extract<Proof, { kind: 'proven' }> }
  | { kind: 'stranger'; mail: Mail; why: string; pointer: boolean }
  | { kind: 'nobody'; why: string }
  | { kind: 'later' }
  | { kind: 'unreadable'; why: string }

/** Judges a mail by its bytes; it changes nothing, and asks nothing but the DNS. */
export async function judgeMail(
  raw: Buffer,
  parts: { settings: ProofSettings; resolve: Resolve; now: Date },
): Promise<Verdict> {
  let mail: Mail
  try {
    mail = await parseMail(raw)
  } catch (error) {
    // Whatever the parser cannot take is no mail; that is no reason to hold up those behind it.
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  }
  const { addresses, domains } = parts.settings
  const automatic = whyAutomatic(mail, addresses)
  if (automatic !== null) return { kind: 'nobody', why: automatic }
  if (!mail.to.some(({ address }) => addresses.includes(address))) return { kind: 'nobody', why: 'not to us by name' }
  const proof = await proveSender(raw, mail, parts)
  if (proof.kind === 'later')
    return isOurs(mail.from, domains) ? proof : stranger(mail, 'its DNS does not answer', false)
  if (proof.kind === 'unproven') return stranger(mail, proof.why, proof.pointer)
  if (mail.from === null || !isOurs(mail.from, domains))
    return stranger(mail, 'it is from a domain that is not served', true)
  return { kind: 'message', mail, person: mail.from, proof }
}

/** Without an address there is nobody to tell. */
function stranger(mail: Mail, why: string, pointer: boolean): Verdict {
  return { kind: 'stranger', mail, why, pointer: pointer && mail.from !== null }
}

function isOurs(address: string | null, domains: readonly string[]): boolean {
  return address !== null && domains.includes(address.slice(address.indexOf('@') + 1))
}
