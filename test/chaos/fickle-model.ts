import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod/mini'
import { startModelServer } from '../../local/model/server.ts'
import { defaults } from '../../local/model/settings.ts'

/**
 * A model that changes its mind: what it is asked a second time it answers otherwise (another label, other slot values,
 * other sentences), and a third time as at first. The first answers are the local model's.
 */
export interface FickleModel {
  port: number
  name: string
  /** How often it answered otherwise. */
  changes(): number
  /** Forgets what it was asked. */
  forget(): void
  close(): Promise<void>
}

const asked = z.looseObject({
  messages: z.unknown(),
  response_format: z.optional(
    z.looseObject({
      json_schema: z.looseObject({ schema: z.looseObject({ properties: z.record(z.string(), z.unknown()) }) }),
    }),
  ),
})
const answered = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string() }) })),
})
const options = z.looseObject({ enum: z.optional(z.array(z.unknown())), anyOf: z.optional(z.array(z.unknown())) })

export async function startFickleModel(random: () => number): Promise<FickleModel> {
  const honest = await startModelServer({ settings: defaults, host: '127.0.0.1', port: 0, now: Date.now })
  const times = new Map<string, number>()
  let changes = 0

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const inner = await fetch(`http://127.0.0.1:${honest.port}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body.length > 0 ? { body } : {}),
    })
    let text = await inner.text()
    if (request.url?.endsWith('/chat/completions') && inner.ok) {
      const question = asked.parse(JSON.parse(body.toString('utf8')))
      const key = createHash('sha256').update(JSON.stringify(question.messages)).digest('hex')
      const before = times.get(key) ?? 0
      times.set(key, before + 1)
      if (before % 2 === 1) {
        changes += 1
        text = otherwise(text, question.response_format?.json_schema.schema.properties ?? {}, random)
      }
    }
    response.writeHead(inner.status, { 'content-type': 'application/json' })
    response.end(text)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    name: defaults.model,
    changes: () => changes,
    forget: () => times.clear(),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      await honest.stop()
    },
  }
}

/** The same answer with every value another one that its schema allows. */
function otherwise(text: string, properties: Record<string, unknown>, random: () => number): string {
  const answer = answered.parse(JSON.parse(text))
  for (const choice of answer.choices) {
    const values = z.record(z.string(), z.unknown()).parse(JSON.parse(choice.message.content))
    const changed = Object.entries(values).map(([name, value]) => [name, another(value, properties[name], random)])
    choice.message.content = JSON.stringify(Object.fromEntries(changed))
  }
  return JSON.stringify(answer)
}

function another(value: unknown, schema: unknown, random: () => number): unknown {
  const allowed = enumOf(schema).filter((one) => one !== value)
  if (allowed.length > 0) return allowed[Math.floor(random() * allowed.length)]
  if (Array.isArray(value)) return value.length > 0 ? [] : [1]
  if (typeof value === 'number') return value + 1
  return value === null ? 'otherwise' : null
}

function enumOf(schema: unknown): unknown[] {
  const parsed = options.safeParse(schema)
  if (!parsed.success) return []
  return parsed.data.enum ?? (parsed.data.anyOf ?? []).flatMap(enumOf)
}
