import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mockCatalogue } from '../servicenow/start.ts'
import type { ChildPlan } from './child.ts'

/** Where each part listens on 127.0.0.1. */
export interface Ports {
  ingress: number
  servicenowMock: number
  issuer: number
  broker: number
  model: number
  s3: number
  slack: number
  normalize: number
  route: number
  agent: number
  dispatch: number
  keeper: number
  servicenow: number
}

/** The fixed places of the demo; API_PORT and SERVICENOW_PORT move the two that people use. */
export const demoPorts: Ports = {
  ingress: 8080,
  servicenowMock: 8090,
  issuer: 8091,
  broker: 8092,
  model: 8093,
  s3: 8094,
  slack: 8096,
  normalize: 8101,
  route: 8102,
  agent: 8103,
  dispatch: 8104,
  keeper: 8105,
  servicenow: 8106,
}

export const portNames = Object.keys(demoPorts) as (keyof Ports)[]

export interface PlatformSettings {
  /** The checkout. */
  root: string
  /** Where the platform keeps its data and logs. */
  data: string
  /** Folder of the bundled functions; default: build/ of the checkout. */
  build?: string
  ports: Ports
  databaseUrl: string
  /** The model service, or null for the small one of local/model. */
  llm: { url: string; model: string; apiKey: string } | null
  /** Real ServiceNow, or null for the mock. */
  servicenow: { url: string; apiKey: string } | null
  /** Key pair of the tokens that the agent shows the tool servers, as JSON Web Keys. */
  toolIdentity: { privateKey: string; publicKey: string }
  /** More environment for all functions, for tests: limits, time-outs. */
  overrides?: Record<string, string>
}

/** The small model's name wherever a model's name shows. */
export const localModelName = 'local-lexical'

/** The mock's catalogue items; a real instance has its own, which the environment names. */
function catalogueItems(settings: PlatformSettings): Record<string, string> {
  if (settings.servicenow !== null) return {}
  return Object.fromEntries(mockCatalogue.map(({ kind, id }) => [itemSettings[kind], id]))
}

const itemSettings = {
  'laptop-refresh': 'SERVICENOW_LAPTOP_REFRESH_ID',
  licence: 'SERVICENOW_LICENCE_ID',
  help: 'SERVICENOW_HELP_ID',
}

const url = (port: number): string => `http://127.0.0.1:${port}`

/** The processes of the platform in the order in which they start: what stands around, then the functions. */
export function planProcesses(settings: PlatformSettings): ChildPlan[] {
  const { ports, root, data } = settings
  const built = settings.build ?? join(root, 'build')
  const local = (name: string, folder: string, port: number, ready: string, environment: Record<string, string>) => ({
    name,
    arguments: ['--import', join(root, 'local/platform/end-with-parent.ts'), join(root, `local/${folder}/main.ts`)],
    environment: { PORT: String(port), HOST: '127.0.0.1', ...environment },
    readyUrl: url(port) + ready,
  })
  const stage = (name: keyof Ports, environment: Record<string, string>): ChildPlan => ({
    name,
    arguments: ['--import', join(root, 'local/platform/end-with-parent.ts'), join(built, 'main.js')],
    environment: {
      FUNC_STAGE: name,
      PORT: String(ports[name]),
      HOST: '127.0.0.1',
      // Within the grace of a stopped process (child.ts), so that it ends by itself even if a model hangs.
      DRAIN_MS: '3000',
      DATABASE_URL: settings.databaseUrl,
      ...environment,
      ...settings.overrides,
    },
    readyUrl: `${url(ports[name])}/health/readiness`,
  })
  const issuerUrl = url(ports.issuer)
  const page = { WEB_URL: url(ports.ingress), WEB_CLIENT_ID: 'self-service-agent-web' }
  const sink = `${url(ports.broker)}/self-service-agent/default`
  // Credentials of the stand-in, which only this machine reaches.
  const files = {
    S3_ENDPOINT: url(ports.s3),
    S3_REGION: 'us-east-1',
    S3_BUCKET: 'attachments',
    S3_ACCESS_KEY_ID: 'local',
    S3_SECRET_ACCESS_KEY: 'local-secret',
  }
  // Programs of this machine may be pushed to, and one may send events: docs/channels/webhooks.md, docs/channels/events.md.
  const webhooks = {
    WEBHOOK_SIGNING_KEY: 'local-webhook-signing-key-0123456789',
    WEBHOOK_HTTP: 'true',
    WEBHOOK_PORTS: '*',
    WEBHOOK_NETWORKS: '127.0.0.0/8',
  }
  const events = {
    EVENT_KEYS: JSON.stringify({ hr: { tokens: [createHash('sha256').update('local-hr-token').digest('hex')] } }),
    INTEGRATIONS_DIR: join(root, 'integrations'),
  }
  const slack = { SLACK_BOT_TOKEN: 'xoxb-local', SLACK_API_URL: `${url(ports.slack)}/api/` }
  const slackApp = { ...slack, SLACK_SIGNING_SECRET: 'local-slack-signing-secret' }
  const servicenowUrl = settings.servicenow?.url ?? url(ports.servicenowMock)

  return [
    local('issuer', 'issuer', ports.issuer, '/.well-known/jwks.json', {
      DATA_DIR: join(data, 'issuer'),
      OIDC_ISSUER: issuerUrl,
      ...page,
    }),
    ...(settings.servicenow === null
      ? [
          local('servicenow-mock', 'servicenow', ports.servicenowMock, '/health', {
            DATA_FILE: join(data, 'servicenow.jsonl'),
            ...catalogueItems(settings),
          }),
        ]
      : []),
    ...(settings.llm === null
      ? [local('model', 'model', ports.model, '/health', { MODEL_NAME: localModelName, API_KEY: '' })]
      : []),
    local('s3-stand-in', 's3', ports.s3, '/health', { ...files, DATA_DIR: join(data, 's3') }),
    local('slack-stand-in', 'slack', ports.slack, '/health', { ...slackApp, SLACK_APP_URL: url(ports.ingress) }),
    local('broker', 'broker', ports.broker, '/health/readiness', {
      DATABASE_URL: settings.databaseUrl,
      BROKER_MANIFESTS: join(root, 'knative/base'),
      BROKER_SUBSCRIBERS: JSON.stringify(
        Object.fromEntries(
          (['normalize', 'route', 'agent', 'dispatch', 'keeper'] as const).map((name) => [name, url(ports[name])]),
        ),
      ),
    }),
    stage('servicenow', {
      SERVICENOW_URL: servicenowUrl,
      SERVICENOW_API_KEY: settings.servicenow?.apiKey ?? 'mock-key',
      ...catalogueItems(settings),
      TOOL_IDENTITY_PUBLIC_KEY: settings.toolIdentity.publicKey,
    }),
    stage('normalize', {}),
    stage('route', {}),
    stage('agent', {
      AGENTS_DIR: join(root, 'agents'),
      LLM_URL: settings.llm?.url ?? `${url(ports.model)}/v1`,
      LLM_MODEL: settings.llm?.model ?? localModelName,
      LLM_API_KEY: settings.llm?.apiKey ?? 'none',
      TOOL_SERVERS: JSON.stringify({ servicenow: `${url(ports.servicenow)}/mcp` }),
      TOOL_IDENTITY_PRIVATE_KEY: settings.toolIdentity.privateKey,
    }),
    stage('dispatch', { ...webhooks, ...slack }),
    stage('keeper', { K_SINK: sink, ...files, HANDOFF_FAILED_TURNS: 'true' }),
    stage('ingress', {
      ...files,
      ...slackApp,
      ...webhooks,
      ...events,
      K_SINK: sink,
      OIDC_ISSUER: issuerUrl,
      OIDC_AUDIENCE: 'self-service-agent',
      OIDC_JWKS_URL: `${issuerUrl}/.well-known/jwks.json`,
      ...page,
      WEB_SESSION_KEY: randomBytes(32).toString('base64'),
      WEB_DIR: join(built, 'web'),
    }),
  ]
}
