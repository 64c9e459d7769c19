import { join } from 'node:path'
import * as z from 'zod/mini'
import { readKey } from '../../local/issuer/key.ts'
import { issuerSettings } from '../../local/issuer/settings.ts'
import { signToken } from '../../local/issuer/sign.ts'
import { withRunningDemo } from '../../local/platform/running-demo.ts'
import type { Scope } from '../../shared/identity/caller.ts'

/** A sentence for the person at the terminal; everything else that is thrown is a defect. */
export class Trouble extends Error {}

export interface Api {
  /** Calls a route and reads its answer by `schema`; throws Trouble with what the API says where it refuses. */
  call<T extends z.ZodMiniType>(schema: T, path: string, body?: unknown, method?: 'DELETE'): Promise<z.infer<T>>
  /** Calls a route that answers with a text, and takes that piece by piece; throws Trouble as `call` does. */
  read(path: string, take: (piece: string) => void): Promise<void>
}

const problem = z.object({ title: z.string(), detail: z.string(), code: z.string() })

/** The API at API_URL, called with TOKEN or, for the demo, with a token of its own issuer for this person. */
export async function openApi(person: { email: string; scopes?: Scope[] }): Promise<Api> {
  const environment = await withRunningDemo(process.env, join(import.meta.dirname, '../..'))
  const address = environment['API_URL'] || 'http://127.0.0.1:8080'
  if (!URL.canParse(address)) throw new Trouble(`API_URL is no address: ${address}`)
  const token = environment['TOKEN'] || (await signForDemo(environment, person))
  const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(new URL(path, address), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
    }).catch((cause: unknown) => {
      throw new Trouble(`The API at ${address} is not up: start the demo first: make demo`, { cause })
    })
    if (response.ok) return response
    const known = problem.safeParse(await response.json().catch(() => null))
    throw new Trouble(
      known.success ? `${known.data.detail} (${response.status} ${known.data.code})` : `${response.status}`,
    )
  }
  return {
    async call(schema, path, body, method) {
      const response = await send(method ?? (body === undefined ? 'GET' : 'POST'), path, body)
      const value: unknown = await response.json().catch(() => null)
      const parsed = schema.safeParse(value)
      if (!parsed.success) throw new Trouble(`What answers at ${address} is not this API.`)
      return parsed.data
    },
    async read(path, take) {
      const decoder = new TextDecoder()
      for await (const piece of (await send('GET', path)).body ?? []) take(decoder.decode(piece, { stream: true }))
    },
  }
}

async function signForDemo(
  environment: Record<string, string | undefined>,
  person: { email: string; scopes?: Scope[] },
): Promise<string> {
  const { folder, issuer, audience } = issuerSettings(environment)
  const key = await readKey(folder)
  if (key === null) throw new Trouble(`There is no key in ${folder} yet: start the demo first: make demo`)
  return signToken(key, { issuer, audience, email: person.email, scopes: person.scopes ?? [], now: new Date() })
}

/** Runs a script's main part; Trouble becomes one sentence and exit code 1. */
export function runScript(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Trouble ? error.message : error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  })
}
