import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answer, type Bucket } from './answer.ts'
import { openObjects } from './objects.ts'
import { describeRefusal, Refusal } from './refusal.ts'

export interface S3StandInOptions {
  accessKeyId: string
  secretAccessKey: string
  region?: string
  /** The one bucket that it has. */
  bucket: string
  /** 0: a free one. */
  port?: number
  hostname?: string
  now?: () => Date
  /** Folder that keeps the objects over restarts. */
  folder?: string
}

export interface S3StandIn {
  url: string
  keys(): string[]
  /** Requests so far, as `METHOD /bucket/key`. */
  requests: string[]
  /** Answers the next requests with 503 SlowDown, until it is told otherwise. */
  slowDown(on: boolean): void
  /** Breaks the connection in the middle of the next objects that it sends, until it is told otherwise. */
  cutShort(on: boolean): void
  close(): Promise<void>
}

/**
 * Starts a stand-in for S3: one bucket, in path style, with Signature Version 4 verified. It is no S3: it holds its
 * objects in memory, knows only the operations that this system uses, and refuses the rest.
 */
export async function startS3StandIn(options: S3StandInOptions): Promise<S3StandIn> {
  const { accessKeyId, secretAccessKey, region = 'us-east-1', bucket: name, now = () => new Date() } = options
  const objects = openObjects(options.folder ?? null)
  const bucket: Bucket = { accessKeyId, secretAccessKey, region, name, objects, now }
  const requests: string[] = []
  const moods = { slow: false, cuts: false }
  const server = createServer((request, response) => void serve(request, response))

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: target = '/', headers } = request
    if (target === '/health') return void response.writeHead(200).end('OK')
    const requestId = randomUUID()
    const resource = target.split('?')[0] ?? '/'
    requests.push(`${method} ${resource}`)
    try {
      if (moods.slow) throw new Refusal(503, 'SlowDown', 'Please reduce your request rate.')
      const answered = await answer({ method, target, headers }, request, bucket)
      response.writeHead(answered.status, { 'x-amz-request-id': requestId, ...answered.headers })
      if (moods.cuts && method === 'GET' && answered.body !== null) {
        response.write(answered.body.slice(0, answered.body.length / 2), () => response.destroy())
      } else response.end(method === 'HEAD' ? undefined : answered.body)
    } catch (error) {
      const refusal =
        error instanceof Refusal ? error : new Refusal(500, 'InternalError', 'The stand-in met an error of its own.')
      if (response.headersSent || response.destroyed) return void response.destroy()
      const body = describeRefusal(refusal, { resource, requestId })
      response.writeHead(refusal.status, { 'content-type': 'application/xml', 'x-amz-request-id': requestId })
      // What is left of a body that is not wanted would be read as the next request.
      response.end(method === 'HEAD' ? undefined : body, () => request.resume())
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.hostname ?? '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    keys: () => objects.keys(),
    requests,
    slowDown(on) {
      moods.slow = on
    },
    cutShort(on) {
      moods.cuts = on
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}
