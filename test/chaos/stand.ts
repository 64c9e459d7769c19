import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningBroker, startBroker } from '../../local/broker/broker.ts'
import { readManifestFolder } from '../../local/broker/manifests.ts'
import { openKey } from '../../local/issuer/key.ts'
import { createIssuer } from '../../local/issuer/serve.ts'
import { signToken } from '../../local/issuer/sign.ts'
import type { ChildPlan } from '../../local/platform/child.ts'
import { makeToolIdentity } from '../../local/platform/platform.ts'
import type { Employee } from '../../local/servicenow/employees.ts'
import { mockCatalogue, type ServiceNowMock, startServiceNow } from '../../local/servicenow/start.ts'
import { ingest, readKnowledge } from '../../shared/knowledge/index.ts'
import { connect, type Database } from '../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../shared/store/migrate.ts'
import { type Arrival, type Control, type Order, startControl } from './control.ts'
import { type FickleModel, startFickleModel } from './fickle-model.ts'
import { type Exchange, type Service, type ServiceOptions, startService } from './service.ts'
import { startWire, type Wire } from './wire.ts'

export const serviceNames = ['ingress', 'normalize', 'route', 'agent', 'dispatch', 'keeper', 'servicenow'] as const
export type ServiceName = (typeof serviceNames)[number]

export type WireName = 'postgres' | 'broker' | 'model' | 'tools' | 'servicenow'

/** What the case that runs on a stand does with what happens there. */
export interface Hooks {
  arrived(arrival: Arrival): Promise<Order>
  answered(exchange: Exchange): void
  left(exchange: Exchange): void
  instead: ServiceOptions['instead']
  random(): number
}

/** The whole system as processes of its own on a database of its own, where everything can be killed, held and cut. */
export interface Stand {
  database: Database
  broker: RunningBroker
  mock: ServiceNowMock
  model: FickleModel
  services: Record<ServiceName, Service>
  /** The wires of a function to what it uses. */
  wires: Record<ServiceName, Partial<Record<WireName, Wire>>>
  /** What the running case does; the harness sets it. */
  hooks: Hooks
  door: { url: string; tokenOf(email: string): Promise<string> }
  /** An employee that nobody has met yet. */
  nextEmployee(): Employee
  logs: string
  stop(): Promise<void>
}

export interface StandOptions {
  root: string
  /** A Postgres server where databases may be created. */
  adminUrl: string
  /** The functions, bundled. */
  main: string
  name: string
}

/**
 * What a stand shortens, so that a hang costs seconds: how long the broker waits for an answer (30 and 90 s in
 * knative/base) and the agent for a tool (15 and 20 s in agents/), for how long a write may begin (60 s) and a POST may
 * take (10 s). Leases and retries are as everywhere.
 */
const brokerTimeout = 'PT5S'
const toolTimeout = '3s'
const shortened = { WRITE_WINDOW_MS: '8000', SERVICENOW_TIMEOUT_MS: '1500' }

export async function startStand(options: StandOptions): Promise<Stand> {
  const { root, name } = options
  const data = await mkdtemp(join(tmpdir(), `chaos-${name}-`))
  const ends: (() => Promise<unknown>)[] = [() => rm(data, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of ends.reverse()) await end()
  }
  try {
    const agents = join(data, 'agents')
    await cp(join(root, 'agents'), agents, { recursive: true })
    await shorten(agents, 'agent.yaml', /timeout: (?:15|20)s/g, `timeout: ${toolTimeout}`)
    const manifests = join(data, 'manifests')
    await mkdir(manifests)
    // Ticks come from the harness, when it says so.
    for (const file of ['broker.yaml', 'triggers.yaml'])
      await cp(join(root, 'knative/base', file), join(manifests, file))
    await shorten(manifests, '.yaml', /timeout: PT(?:30|90)S/g, `timeout: ${brokerTimeout}`)

    const url = await createDatabase(options.adminUrl, name)
    ends.push(() => dropDatabase(options.adminUrl, url))
    const database = connect(url, { max: 3, name: 'chaos', idleSeconds: 600 })
    ends.push(() => database.end({ timeout: 5 }))
    await migrate(database, await readMigrations(join(root, 'shared/store/migrations')))
    await ingest(database, await readKnowledge(agents))

    const hooks: Hooks = {
      arrived: async () => '',
      answered: () => {},
      left: () => {},
      instead: () => null,
      random: Math.random,
    }
    const control: Control = await startControl((arrival) => hooks.arrived(arrival))
    ends.push(() => control.close())
    const people = employees(name)
    const manager = {
      number: '8999',
      name: 'Manager',
      email: managerOf(name),
      location: 'EMEA',
      active: true,
      laptop: null,
    }
    const mock = await startServiceNow({ employees: [...people, manager] })
    ends.push(() => mock.close())
    const model = await startFickleModel(() => hooks.random())
    ends.push(() => model.close())
    const issuer = await startIssuer(data)
    ends.push(issuer.close)

    const ports: Partial<Record<WireName, () => number>> = {}
    const targetOf = (wire: WireName): number => ports[wire]?.() ?? 0
    const wires: Stand['wires'] = {
      ingress: {},
      normalize: {},
      route: {},
      agent: {},
      dispatch: {},
      keeper: {},
      servicenow: {},
    }
    for (const service of serviceNames) {
      for (const wire of wiresOf(service)) {
        const started = await startWire(() => targetOf(wire))
        wires[service][wire] = started
        ends.push(() => started.close())
      }
    }
    const postgresPort = Number(new URL(url).port)
    ports.postgres = () => postgresPort
    ports.model = () => model.port
    ports.servicenow = () => Number(new URL(mock.url).port)

    const identity = makeToolIdentity()
    const environmentOf = (service: ServiceName): Record<string, string> => {
      const through = (wire: WireName) => `http://127.0.0.1:${wires[service][wire]?.port}`
      const databaseUrl = new URL(url)
      databaseUrl.port = String(wires[service].postgres?.port)
      const common = {
        DATABASE_URL: databaseUrl.href,
        FAULT_CONTROL: control.urlFor(service),
        DRAIN_MS: '1000',
        ...shortened,
      }
      const sink = { K_SINK: `${through('broker')}/self-service-agent/default` }
      switch (service) {
        case 'ingress':
          return {
            ...common,
            ...sink,
            OIDC_ISSUER: issuer.url,
            OIDC_AUDIENCE: 'self-service-agent',
            OIDC_JWKS_URL: `${issuer.url}/.well-known/jwks.json`,
          }
        case 'keeper':
          return { ...common, ...sink }
        case 'agent':
          return {
            ...common,
            AGENTS_DIR: agents,
            LLM_URL: `${through('model')}/v1`,
            LLM_MODEL: model.name,
            TOOL_SERVERS: JSON.stringify({ servicenow: `${through('tools')}/mcp` }),
            TOOL_IDENTITY_PRIVATE_KEY: identity.privateKey,
          }
        case 'servicenow':
          return {
            ...common,
            SERVICENOW_URL: through('servicenow'),
            SERVICENOW_API_KEY: 'mock-key',
            TOOL_IDENTITY_PUBLIC_KEY: identity.publicKey,
            ...catalogueItems(),
          }
        default:
          return common
      }
    }
    const started = new Map<ServiceName, Service>()
    ends.push(() => Promise.all([...started.values()].map((service) => service.stop())))
    const logs = join(data, 'logs')
    const begin = async (name: ServiceName): Promise<void> => {
      const plan = (port: number): ChildPlan => ({
        name,
        arguments: ['--import', join(root, 'local/platform/end-with-parent.ts'), options.main],
        environment: { FUNC_STAGE: name, PORT: String(port), HOST: '127.0.0.1', ...environmentOf(name) },
        readyUrl: `http://127.0.0.1:${port}/health/readiness`,
      })
      const answered = (exchange: Exchange) => hooks.answered(exchange)
      const left = (exchange: Exchange) => hooks.left(exchange)
      const instead = (exchange: Exchange) => hooks.instead(exchange)
      started.set(name, await startService({ name, plan, logs, root, answered, left, instead }))
    }
    const service = (name: ServiceName): Service => {
      const found = started.get(name)
      if (found === undefined) throw new Error(`${name} did not start`)
      return found
    }
    // The broker is ready when it has its subscribers, and the door when it has its broker.
    await Promise.all(serviceNames.filter((name) => name !== 'ingress').map(begin))
    ports.tools = () => service('servicenow').port
    const subscribers = [...started].map(([name, { port }]) => [name, `http://127.0.0.1:${port}`])
    const broker = await startBroker({
      manifests: await readManifestFolder(manifests),
      databaseUrl: url,
      subscribers: Object.fromEntries(subscribers),
    })
    ends.push(() => broker.stop(0))
    ports.broker = () => broker.port
    await begin('ingress')

    const unmet = [...people]
    return {
      database,
      broker,
      mock,
      model,
      services: Object.fromEntries(serviceNames.map((one) => [one, service(one)])) as Stand['services'],
      wires,
      hooks,
      door: { url: `http://127.0.0.1:${service('ingress').port}`, tokenOf: issuer.tokenOf },
      nextEmployee() {
        const employee = unmet.shift()
        if (employee === undefined) throw new Error('everybody has been met')
        return employee
      },
      logs,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function wiresOf(service: ServiceName): WireName[] {
  switch (service) {
    case 'ingress':
    case 'keeper':
      return ['postgres', 'broker']
    case 'agent':
      return ['postgres', 'model', 'tools']
    case 'servicenow':
      return ['postgres', 'servicenow']
    default:
      return ['postgres']
  }
}

function catalogueItems(): Record<string, string> {
  const settings = {
    'laptop-refresh': 'SERVICENOW_LAPTOP_REFRESH_ID',
    licence: 'SERVICENOW_LICENCE_ID',
    help: 'SERVICENOW_HELP_ID',
  }
  return Object.fromEntries(mockCatalogue.map(({ kind, id }) => [settings[kind], id]))
}

/** As many as a run has cases, and some more; all of them are due for a new laptop. */
function employees(name: string): Employee[] {
  return Array.from({ length: 2_000 }, (_, index) => ({
    number: `${9_000 + index}`,
    name: `Employee ${index}`,
    email: `employee.${index}.${name}@company.com`,
    location: 'EMEA',
    active: true,
    manager: managerOf(name),
    laptop: { model: 'Latitude 7420', serial: `DL7420-${index}`, purchase: { on: '2020-01-15' } },
  }))
}

function managerOf(name: string): string {
  return `manager.${name}@company.com`
}

async function shorten(folder: string, ending: string, from: RegExp, to: string): Promise<void> {
  let replaced = 0
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(ending)) continue
    const text = await readFile(join(folder, name), 'utf8')
    replaced += text.match(from)?.length ?? 0
    await writeFile(join(folder, name), text.replace(from, to))
  }
  // A stand that waits as long as production looks like one that hangs.
  if (replaced === 0) throw new Error(`nothing below ${folder} matches ${from}: say here how it is spelt now`)
}

async function startIssuer(data: string) {
  const key = await openKey(join(data, 'issuer'))
  let url = ''
  const server = createIssuer(key, () => url).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    tokenOf: (email: string) => signToken(key, { issuer: url, audience: 'self-service-agent', email, now: new Date() }),
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  const admin = connect(adminUrl, { max: 1, name: 'chaos-admin' })
  try {
    const database = `chaos_${name}_${process.pid}`.replaceAll('-', '_')
    await admin.unsafe(`drop database if exists ${database} with (force)`)
    await admin.unsafe(`create database ${database} template template0`)
    const url = new URL(adminUrl)
    url.pathname = `/${database}`
    return url.href
  } finally {
    await admin.end({ timeout: 5 })
  }
}

async function dropDatabase(adminUrl: string, url: string): Promise<void> {
  const admin = connect(adminUrl, { max: 1, name: 'chaos-admin' })
  try {
    await admin.unsafe(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`)
  } finally {
    await admin.end({ timeout: 5 })
  }
}
