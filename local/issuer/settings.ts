import { join } from 'node:path'
import type { Environment } from '../../shared/settings/environment.ts'
import type { Client } from './authorize.ts'

export interface IssuerSettings {
  /** Folder of the key file. */
  folder: string
  port: number
  issuer: string
  audience: string
  /** The page that people sign in to; null: none. */
  client: Client | null
}

/** What the demo's issuer, its tokens and the functions agree on: DATA_DIR, PORT, OIDC_ISSUER, OIDC_AUDIENCE, WEB_URL, WEB_CLIENT_ID. */
export function issuerSettings(environment: Environment, port = 8091): IssuerSettings {
  const { WEB_URL: page, WEB_CLIENT_ID: id } = environment
  return {
    folder: environment['DATA_DIR'] || join(import.meta.dirname, '../../.data/issuer'),
    port,
    issuer: environment['OIDC_ISSUER'] || `http://127.0.0.1:${port}`,
    audience: environment['OIDC_AUDIENCE'] || 'self-service-agent',
    client: page && id ? { id, redirectUri: `${page.replace(/\/$/, '')}/sign-in/callback` } : null,
  }
}
