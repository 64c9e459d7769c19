import type { Environment } from '../channel.ts'
import { type Networks, readNetworks } from './public-address.ts'

/** Where answers may be pushed to. */
export interface AddressRules {
  /** False: https alone. */
  http: boolean
  /** null: any. */
  ports: ReadonlySet<number> | null
  networks: Networks
}

export interface WebhookSettings {
  /** What every signing secret follows from. */
  key: string
  rules: AddressRules
}

const shortest = 32

/**
 * Reads WEBHOOK_SIGNING_KEY, WEBHOOK_HTTP, WEBHOOK_PORTS and WEBHOOK_NETWORKS; null without the key: this deployment
 * pushes nothing.
 * @throws Error whose one sentence says what to set
 */
export function readWebhookSettings(environment: Environment): WebhookSettings | null {
  const { WEBHOOK_SIGNING_KEY, WEBHOOK_HTTP, WEBHOOK_PORTS, WEBHOOK_NETWORKS } = environment
  if (!WEBHOOK_SIGNING_KEY) return null
  if (WEBHOOK_SIGNING_KEY.length < shortest) {
    throw new Error(`WEBHOOK_SIGNING_KEY is too short: it takes at least ${shortest} random characters.`)
  }
  if (WEBHOOK_HTTP && !['true', 'false'].includes(WEBHOOK_HTTP)) {
    throw new Error(`WEBHOOK_HTTP is "${WEBHOOK_HTTP}": it takes true or false.`)
  }
  return {
    key: WEBHOOK_SIGNING_KEY,
    rules: {
      http: WEBHOOK_HTTP === 'true',
      ports: readPorts(WEBHOOK_PORTS || '443'),
      networks: readNetworks(WEBHOOK_NETWORKS ?? ''),
    },
  }
}

function readPorts(text: string): ReadonlySet<number> | null {
  if (text === '*') return null
  const ports = text.split(',').map((one) => Number(one.trim()))
  if (ports.every((port) => Number.isInteger(port) && port > 0 && port <= 65_535)) return new Set(ports)
  throw new Error(`WEBHOOK_PORTS is "${text}": it takes ports with commas between them, or *.`)
}
