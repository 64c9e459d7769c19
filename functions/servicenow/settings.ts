import type { JSONWebKeySet } from 'jose'
import { type Environment, flag, required, wholeNumber } from '../../shared/settings/environment.ts'
import { readPublicKeys } from '../../shared/tools/tool-token.ts'

/** How many open laptop requests an employee may be allowed at most. */
export const highestLimit = 1000

export interface Settings {
  /** The instance, e.g. https://example.service-now.com, without a slash at the end. */
  url: string
  apiKey: string
  apiKeyHeader: string
  /** Milliseconds that one request to ServiceNow may take. */
  timeoutMs: number
  /** Catalogue items that are ordered. */
  laptopRefreshId: string
  licenceId: string
  helpId: string
  /** How many open laptop requests an employee may have; null: any number. */
  laptopRequestLimit: number | null
  /** Whether an open request for the same laptop is returned instead of a second one. */
  laptopAvoidDuplicates: boolean
  publicKeys: JSONWebKeySet
}

/** Reads the settings; throws an Error whose one sentence names the variable at fault, and no secret. */
export function readSettings(environment: Environment): Settings {
  const limit = wholeNumber(environment, 'SERVICENOW_LAPTOP_REQUEST_LIMITS', 0, [0, highestLimit])
  return {
    url: readUrl(required(environment, 'SERVICENOW_URL', 'the address of the ServiceNow instance')),
    apiKey: required(environment, 'SERVICENOW_API_KEY', 'the API key for the ServiceNow instance'),
    apiKeyHeader: readHeaderName(environment['SERVICENOW_API_KEY_HEADER'] || 'x-sn-apikey'),
    timeoutMs: wholeNumber(environment, 'SERVICENOW_TIMEOUT_MS', 10_000, [1, 120_000]),
    laptopRefreshId: required(environment, 'SERVICENOW_LAPTOP_REFRESH_ID', 'the catalogue item for a new laptop'),
    licenceId: required(environment, 'SERVICENOW_LICENCE_ID', 'the catalogue item for a software licence'),
    helpId: required(environment, 'SERVICENOW_HELP_ID', 'the catalogue item for help from a person'),
    laptopRequestLimit: limit === 0 ? null : limit,
    laptopAvoidDuplicates: flag(environment, 'SERVICENOW_LAPTOP_AVOID_DUPLICATES'),
    publicKeys: readPublicKeys(
      required(environment, 'TOOL_IDENTITY_PUBLIC_KEY', 'the public Ed25519 JWK that tool tokens are signed with'),
    ),
  }
}

function readUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null
  const more = url === null ? '' : url.username + url.password + url.search + url.hash
  if (url === null || !/^https?:$/.test(url.protocol) || more !== '') {
    throw new Error('SERVICENOW_URL takes an http or https address without a name, password, query or fragment.')
  }
  return value.replace(/\/+$/, '')
}

function readHeaderName(value: string): string {
  if (/^[A-Za-z0-9-]+$/.test(value)) return value
  throw new Error(`SERVICENOW_API_KEY_HEADER is "${value}": it takes the name of an HTTP header.`)
}
