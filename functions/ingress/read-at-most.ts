import { Fault } from '../../shared/errors/fault.ts'

/**
 * The bytes of a request's body, read no further than `limit`.
 * @throws Fault `request.too-large`
 */
export async function readAtMost(request: Request, limit: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? '0')
  if (declared > limit) throw new Fault('request.too-large', `the body has ${declared} bytes, the limit is ${limit}`)
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop by a throw cancels the stream: the rest is never read.
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limit) throw new Fault('request.too-large', `the body has more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
