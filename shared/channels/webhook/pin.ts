import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Fault } from '../../errors/fault.ts'
import { refusalOf } from './public-address.ts'
import type { AddressRules } from './settings.ts'
import { hostOf } from './target.ts'

/** The addresses of a name. */
export type Resolve = (host: string) => Promise<string[]>

/** As the operating system does it, so that a cluster's own names work; IPv4 first, which is everywhere. */
export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address)

/**
 * The addresses that a URL's host stands for now, each of which may be sent to. The name is asked for once: whoever
 * connects takes one of these, so that an answer of a name server which changes afterwards changes nothing.
 * @throws Fault `delivery.refused` where one of them may not be sent to, `delivery.unavailable` where there is none
 */
export async function pin(url: URL, rules: AddressRules, resolve: Resolve): Promise<string[]> {
  const host = hostOf(url)
  const addresses = isIP(host) === 0 ? await ask(host, resolve) : [host]
  if (addresses.length === 0) throw new Fault('delivery.unavailable', `${host} has no address`)
  for (const address of addresses) {
    const refusal = refusalOf(address, rules.networks)
    // Also where others are public: a name with one foot inside is no name that a receiver outside has.
    if (refusal !== null) throw new Fault('delivery.refused', `${host} stands for an address that is ${refusal}`)
  }
  return addresses
}

async function ask(host: string, resolve: Resolve): Promise<string[]> {
  try {
    return await resolve(host)
  } catch (cause) {
    throw new Fault('delivery.unavailable', `${host} cannot be resolved`, { cause })
  }
}
