import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, startChild } from '../../local/platform/child.ts'
import { type PlatformSettings, type Ports, planProcesses, portNames } from '../../local/platform/plan.ts'
import { makeToolIdentity } from '../../local/platform/platform.ts'
import { findFreePorts } from '../../local/platform/ports.ts'
import { type Listener, listenFor } from './listener.ts'
import { type SlowModel, startSlowModel } from './slow-model.ts'

/** The platform of local/platform, but with several instances of each function behind a listener. */
export interface Fleet {
  ports: Ports
  /** Folder with the processes' data and logs. */
  data: string
  model: SlowModel
  /** Name and process of each instance; the name is also its connections' in Postgres. */
  instances: readonly { name: string; function: FunctionName; pid: number }[]
  /** What stands around the functions. */
  others: readonly { name: string; pid: number }[]
  listeners: Readonly<Record<string, Listener>>
  /** Resolves with a sentence when a process ends by itself. */
  broken: Promise<string>
  stop(): Promise<void>
}

const functionNames = ['ingress', 'normalize', 'route', 'agent', 'dispatch', 'keeper', 'servicenow'] as const
export type FunctionName = (typeof functionNames)[number]

export interface FleetOptions {
  root: string
  data: string
  /** What the functions connect to. */
  functionsUrl: string
  /** What the broker connects to: it is none of the functions, and stands for one that needs no Postgres at all. */
  brokerUrl: string
  instances: number
}

/** Starts everything on a migrated database; rejects with one sentence. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { root, data } = options
  // The processes load parts of it late; a build beside this run must not change it under them.
  const build = join(data, 'build')
  await cp(join(root, 'build'), build, { recursive: true })
  const [modelPort = 0, ...numbers] = await findFreePorts(portNames.length + 1)
  const ports = Object.fromEntries(portNames.map((name, index) => [name, numbers[index]])) as Record<
    keyof Ports,
    number
  >
  const settings: PlatformSettings = {
    ...{ root, data, ports, databaseUrl: options.brokerUrl, llm: null, servicenow: null },
    toolIdentity: makeToolIdentity(),
  }
  const plans = planProcesses(settings)
  const around = plans
    .filter(({ name }) => !isFunction(name))
    // The slow model has the model's place, the model one behind it.
    .map((plan) => (plan.name === 'model' ? atPort(plan, ports.model, modelPort) : plan))
  const children: Child[] = []
  const listeners: Record<string, Listener> = {}
  const instances: { name: string; function: FunctionName; pid: number }[] = []
  let model: SlowModel | undefined
  let stopping = false
  const stop = async (): Promise<void> => {
    stopping = true
    const functions = children.filter(({ name }) => instances.some((instance) => instance.name === name))
    await Promise.all(functions.map((child) => child.stop()))
    for (const child of [...children].reverse()) await child.stop()
    for (const listener of Object.values(listeners)) await listener.close()
    await model?.close()
  }
  const startAll = async (list: typeof plans): Promise<Child[]> => {
    const begun: Child[] = []
    for (let index = 0; index < list.length; index += 3) {
      const some = list.slice(index, index + 3)
      const results = await Promise.allSettled(
        some.map((plan) => startChild(plan, { logs: join(data, 'logs'), cwd: root, timeoutMs: 30_000 })),
      )
      for (const result of results) if (result.status === 'fulfilled') begun.push(result.value)
      children.push(...begun.filter((child) => !children.includes(child)))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    }
    return begun
  }
  try {
    model = await startSlowModel(ports.model, modelPort)
    const others = (await startAll(around)).map(({ name, process: { pid = 0 } }) => ({ name, pid }))
    for (const plan of plans) {
      if (!isFunction(plan.name)) continue
      const function_ = plan.name
      const own = await findFreePorts(options.instances)
      const copies = own.map((port, index) => {
        const name = `${plan.name}-${index + 1}`
        const copy = atPort({ ...plan, name }, ports[function_], port)
        return {
          ...copy,
          arguments: copy.arguments.map((argument) => argument.replace(join(root, 'build'), build)),
          environment: { ...copy.environment, DATABASE_URL: named(options.functionsUrl, name) },
        }
      })
      const begun = await startAll(copies)
      for (const child of begun) instances.push({ name: child.name, function: function_, pid: child.process.pid ?? 0 })
      listeners[function_] = await listenFor(ports[function_], own)
    }
    const broken = Promise.race(
      children.map(async (child) => {
        const how = await child.ended
        return stopping ? '' : `${child.name} ended by itself (${how})`
      }),
    )
    return { ports, data, model, instances, others, listeners, broken, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function isFunction(name: string): name is FunctionName {
  return functionNames.some((one) => one === name)
}

/** The same process at another port than the one it was planned for. */
function atPort<Plan extends { environment: Record<string, string>; readyUrl: string }>(
  plan: Plan,
  from: number,
  to: number,
): Plan {
  const readyUrl = plan.readyUrl.replace(`:${from}/`, `:${to}/`)
  return { ...plan, environment: { ...plan.environment, PORT: String(to) }, readyUrl }
}

/** A parameter of the address wins over the name that the function gives: so each instance has its own. */
function named(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.set('application_name', name)
  return url.href
}
