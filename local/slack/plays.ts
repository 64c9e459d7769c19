import type { IncomingMessage } from 'node:http'
import * as z from 'zod/mini'

/** What a person does in the stand-in's workspace. */
const played = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), email: z.email(), text: z.string(), thread: z.optional(z.string()) }),
  z.object({ kind: z.literal('press'), email: z.email(), ts: z.string(), title: z.string() }),
  z.object({ kind: z.literal('command'), email: z.email(), text: z.string() }),
])
export type PlayedCall = z.infer<typeof played>

/** Reads the body of `POST /local/KIND`. */
export async function readPlay(path: string, request: IncomingMessage): Promise<PlayedCall> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const body: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
  return played.parse({ ...z.record(z.string(), z.unknown()).parse(body), kind: path.slice('/local/'.length) })
}
