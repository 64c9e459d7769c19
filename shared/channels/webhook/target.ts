import { isIP } from 'node:net'
import { refusalOf } from './public-address.ts'
import type { AddressRules } from './settings.ts'

export type Reading = { url: URL; refusal: null } | { url: null; refusal: string }

/** Names that no name server outside answers for (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal), and a cluster's. */
const inside = ['localhost', 'local', 'internal', 'home.arpa', 'localdomain', 'intranet', 'lan', 'corp', 'home', 'svc']

const longest = 2_048

/**
 * An address as somebody registers it, or why it is refused. Only its form is judged; what its name stands for is judged
 * with each delivery. The URL is spelt as it will be called: a number that is an IPv4 address is one, IDN is Punycode.
 */
export function readTarget(text: string, rules: AddressRules): Reading {
  const refuse = (refusal: string): Reading => ({ url: null, refusal })
  if (text.length > longest) return refuse(`longer than ${longest} characters`)
  // What a parser would drop or repair is not what was meant.
  if (/[\p{Cc}\p{Zs}\\]/u.test(text)) return refuse('a space, a control character or a backslash in it')
  const url = URL.parse(text)
  if (url === null) return refuse('no absolute URL')
  if (url.protocol !== 'https:' && !(rules.http && url.protocol === 'http:')) {
    return refuse(rules.http ? 'neither https nor http' : 'not https')
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) return refuse('a user name in it')
  if (url.hash !== '' || text.includes('#')) return refuse('a fragment in it')
  const port = portOf(url)
  if (rules.ports !== null && !rules.ports.has(port)) return refuse(`port ${port} is not one that is allowed`)
  const host = hostOf(url)
  if (isIP(host) !== 0) {
    const refusal = refusalOf(host, rules.networks)
    return refusal === null ? { url, refusal } : refuse(refusal)
  }
  const labels = host.split('.')
  if (labels.some((label) => label === '')) return refuse('a name with an empty part')
  const ofInside = inside.some((name) => host === name || host.endsWith(`.${name}`))
  // A deployment that pushes inside its own networks has names of its own there.
  if (rules.networks.length === 0 && (labels.length < 2 || ofInside)) return refuse('a name of a private network')
  return { url, refusal: null }
}

/** The name or address that is called: without the brackets of IPv6 and the dot at its end. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}
