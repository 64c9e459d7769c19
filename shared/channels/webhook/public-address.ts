import ipaddr from 'ipaddr.js'

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** Networks that a deployment may push to although nobody outside reaches them: 'address/bits'. */
export type Networks = readonly Range[]

/** Not public whatever the ranges say: services of the hosts that clouds run on. */
const ofClouds = new Set(['168.63.129.16', '100.100.100.200', '192.0.0.192'])

/** What is assigned to anybody at all (RFC 4291, 2.4); everything that embeds or translates to IPv4 is refused by range. */
const globalUnicast: Range = ipaddr.IPv6.parseCIDR('2000::/3')
/** Within it, and not for the public: protocol assignments, documentation (RFC 9637). ipaddr.js knows the older ones. */
const ofProtocols: readonly Range[] = ['2001::/23', '2001:db8::/32', '3fff::/20'].map((text) =>
  ipaddr.IPv6.parseCIDR(text),
)

/** @throws Error whose one sentence says which network is none */
export function readNetworks(text: string): Networks {
  return text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map((one) => {
      if (!ipaddr.isValidCIDR(one)) throw new Error(`WEBHOOK_NETWORKS: "${one}" is no network such as 10.1.0.0/16.`)
      return ipaddr.parseCIDR(one)
    })
}

/** Why nothing may be sent to this IP address, or null where it may: it is public, or in one of `allowed`. */
export function refusalOf(text: string, allowed: Networks = []): string | null {
  const zone = text.indexOf('%')
  if (zone !== -1 || !ipaddr.isValid(text)) return 'no IP address'
  const address = ipaddr.parse(text)
  // Never, also not as part of an allowed network: link-local is where clouds keep their keys.
  if (ofClouds.has(address.toString()) || address.range() === 'linkLocal') return 'a service of the host itself'
  if (allowed.some((network) => isWithin(address, network))) return null
  const range = address.range()
  if (range !== 'unicast') return `not public: ${range}`
  if (address instanceof ipaddr.IPv4) return null
  if (!isWithin(address, globalUnicast)) return 'not public: reserved'
  if (ofProtocols.some((network) => isWithin(address, network))) return 'not public: reserved'
  return isIsatap(address) ? 'not public: isatap' : null
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}

/** RFC 5214, 6.1: an IPv4 address in the second half, behind 0000:5efe or 0200:5efe. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0x5efe && ((parts[4] ?? 0) & 0xfdff) === 0
}
