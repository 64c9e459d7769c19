import { once } from 'node:events'
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Child, type ChildPlan, startChild } from '../../local/platform/child.ts'
import { findFreePorts } from '../../local/platform/ports.ts'

/** One request to a function and what came of it, as seen in front of the function. */
export interface Exchange {
  service: string
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** What makes it the same as another: the event's id, or the caller's Idempotency-Key; '' where it has neither. */
  id: string
  /** The process that has it; null while it waits for one. */
  pid: number | null
  answer: Answer | null
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** Milliseconds since 1970. */
  at: number
  /** Whether its caller was still there. */
  delivered: boolean
}

interface Instance {
  pid: number
  child: Child
  port: number
  agent: Agent
}

export interface ServiceOptions {
  name: string
  /** How an instance of the function is started on a port. */
  plan(port: number): ChildPlan
  logs: string
  root: string
  /** Every request, when its answer is there. */
  answered(exchange: Exchange): void
  /** A request whose caller gave it up: its connection broke, or it took too long. */
  left(exchange: Exchange): void
  /** An answer in the function's place, which then never sees the request; null lets it through. */
  instead(exchange: Exchange): Pick<Answer, 'status' | 'body'> | null
}

/**
 * A function as Knative runs it: one address in front of its instances, which holds requests until an instance is ready,
 * answers 502 for one that died over a request, and starts another in its place.
 */
export interface Service {
  port: number
  /** Requests without an answer yet; only those of one process where it is named. */
  underWay(pid?: number): Exchange[]
  /** Resets the connections of all callers and all instances' ends of them. */
  cutCallers(): void
  /** Sends later requests to a new instance; the one that hangs keeps those it has. */
  replace(): Promise<void>
  /** Ends the instances that were replaced. */
  retire(): Promise<void>
  stop(): Promise<void>
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { name } = options
  const instances = new Map<number, Instance>()
  const exchanges = new Set<Exchange>()
  const sockets = new Set<Socket>()
  const upstream = new Set<() => void>()
  let stopping = false
  let started = 0
  let currentPid = 0

  /** Somebody else may take a free port before the process does: then another one. */
  const startOnPort = async (attempt: number): Promise<{ child: Child; port: number }> => {
    const [port = 0] = await findFreePorts(1)
    started += 1
    const plan = { ...options.plan(port), name: `${name}-${started}` }
    try {
      return { child: await startChild(plan, { logs: options.logs, cwd: options.root, timeoutMs: 60_000 }), port }
    } catch (error) {
      if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error
      return startOnPort(attempt + 1)
    }
  }
  const launch = async (): Promise<Instance> => {
    const { child, port } = await startOnPort(1)
    const { pid } = child.process
    if (pid === undefined) throw new Error(`${name} has no process`)
    const instance = { pid, child, port, agent: new Agent({ keepAlive: true }) }
    instances.set(pid, instance)
    void child.ended.then(() => {
      instances.delete(pid)
      instance.agent.destroy()
      if (!stopping && currentPid === pid) begin()
    })
    currentPid = pid
    return instance
  }
  const begin = (): void => {
    currentPid = 0
    current = launch()
    // Whoever asks for it next is told.
    current.catch(() => {})
  }
  let current = launch()

  const server = createServer(async (incoming, outgoing) => {
    const exchange = await open(name, incoming)
    exchanges.add(exchange)
    outgoing.once('close', () => {
      exchanges.delete(exchange)
      if (exchange.answer === null) options.left(exchange)
    })
    const finish = (status: number, headers: IncomingHttpHeaders, body: Buffer): void => {
      exchange.answer = { status, headers, body: body.toString('utf8'), at: Date.now(), delivered: !outgoing.destroyed }
      options.answered(exchange)
      if (outgoing.destroyed) return
      outgoing.writeHead(status, endToEnd(headers))
      outgoing.end(body)
    }
    const instead = options.instead(exchange)
    if (instead !== null)
      return finish(instead.status, { 'content-type': 'application/problem+json' }, Buffer.from(instead.body))
    let instance: Instance
    try {
      instance = await current
    } catch (error) {
      return finish(503, {}, Buffer.from(String(error)))
    }
    if (outgoing.destroyed) return
    exchange.pid = instance.pid
    const { method, path, headers, body } = exchange
    const inner = request({ host: '127.0.0.1', port: instance.port, method, path, headers, agent: instance.agent })
    const cut = () => inner.destroy()
    upstream.add(cut)
    outgoing.once('close', cut)
    inner.once('close', () => upstream.delete(cut))
    inner.once('response', (response) => {
      read(response).then(
        (whole) => finish(response.statusCode ?? 502, response.headers, whole),
        () => lost(),
      )
    })
    const lost = (): void => {
      if (exchange.answer === null && !outgoing.destroyed) finish(502, {}, Buffer.alloc(0))
    }
    inner.once('error', lost)
    inner.end(body)
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await current

  return {
    port: (server.address() as AddressInfo).port,
    underWay: (pid) =>
      [...exchanges].filter(({ pid: of, answer }) => answer === null && (pid === undefined || of === pid)),
    cutCallers() {
      for (const socket of sockets) {
        if (socket.writableEnded) socket.destroy()
        else socket.resetAndDestroy()
      }
      for (const cut of upstream) cut()
    },
    async replace() {
      begin()
      await current
    },
    async retire() {
      const old = [...instances.values()].filter(({ pid }) => pid !== currentPid)
      for (const { child } of old) child.process.kill('SIGKILL')
      await Promise.all(old.map(({ child }) => child.ended))
      await current
    },
    async stop() {
      stopping = true
      await current.catch(() => {})
      server.close()
      for (const socket of sockets) socket.destroy()
      for (const { child } of instances.values()) child.process.kill('SIGKILL')
      await Promise.all([...instances.values()].map(({ child }) => child.ended))
    },
  }
}

async function open(service: string, incoming: IncomingMessage): Promise<Exchange> {
  const { headers, method = 'GET', url = '/' } = incoming
  const key = headers['ce-id'] ?? headers['idempotency-key']
  const id = typeof key === 'string' ? key : ''
  const body = await read(incoming).catch(() => Buffer.alloc(0))
  return { service, method, path: url, headers: endToEnd(headers), body, id, pid: null, answer: null }
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Without what is between two neighbours only (RFC 9110, 7.6.1). */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, host: _h, ...kept } = headers
  return kept
}
