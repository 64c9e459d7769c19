import { join } from 'node:path'
import type { Environment } from '../../shared/settings/environment.ts'

export interface IssuerSettings {
  /** Folder of the key file. */
  folder: string
  port: number
  issuer: string
  audience: string
}

/** What the demo's issuer, its tokens and the functions agree on: DATA_DIR, PORT, OIDC_ISSUER, OIDC_AUDIENCE. */
export function issuerSettings(environment: Environment, port = 8091): IssuerSettings {
  return {
    folder: environment['DATA_DIR'] || join(import.meta.dirname, '../../.data/issuer'),
    port,
    issuer: environment['OIDC_ISSUER'] || `http://127.0.0.1:${port}`,
    audience: environment['OIDC_AUDIENCE'] || 'self-service-agent',
  }
}
