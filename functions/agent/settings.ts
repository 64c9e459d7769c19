import type { JWK } from 'jose'
import * as z from 'zod/mini'
import type { ModelOptions } from '../../shared/model/index.ts'
import { type Environment, required, wholeNumber } from '../../shared/settings/environment.ts'
import type { Limits } from './parts.ts'

export interface Settings {
  databaseUrl: string
  agentsFolder: string
  model: ModelOptions
  /** MCP endpoints by server name. */
  toolServers: Record<string, string>
  /** Private Ed25519 key that signs the tokens for tool servers. */
  toolIdentity: JWK
  limits: Limits
}

const servers = z.record(z.string(), z.url())
const privateKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() })

/** Reads the settings; throws an Error whose one sentence names the variable at fault, and no secret. */
export function readSettings(environment: Environment): Settings {
  const salt = environment['LLM_CACHE_SALT']
  return {
    databaseUrl: required(environment, 'DATABASE_URL', 'the address of Postgres'),
    agentsFolder: environment['AGENTS_DIR'] || 'agents',
    model: {
      url: required(environment, 'LLM_URL', 'the base address of the OpenAI-compatible model service, ending in /v1'),
      model: required(environment, 'LLM_MODEL', 'the name of the model to ask'),
      apiKey: environment['LLM_API_KEY'] || 'none',
      timeoutMs: wholeNumber(environment, 'LLM_TIMEOUT_MS', 60_000, [100, 600_000]),
      ...(salt ? { cacheSalt: salt, sendCacheSalt: true } : {}),
    },
    toolServers: parse(environment, 'TOOL_SERVERS', 'a JSON object of MCP endpoints by server name', servers),
    toolIdentity: parse(environment, 'TOOL_IDENTITY_PRIVATE_KEY', 'a private Ed25519 JWK as JSON', privateKey),
    limits: {
      stepsPerTurn: wholeNumber(environment, 'TURN_STEP_LIMIT', 40, [1, 100]),
      tokensPerTurn: wholeNumber(environment, 'TURN_TOKEN_LIMIT', 20_000, [100, 10_000_000]),
      tokensPerSession: wholeNumber(environment, 'SESSION_TOKEN_LIMIT', 200_000, [100, 100_000_000]),
      writeWindowMs: wholeNumber(environment, 'WRITE_WINDOW_MS', 60_000, [1_000, 600_000]),
    },
  }
}

function parse<T>(environment: Environment, name: string, meaning: string, schema: z.ZodMiniType<T>): T {
  try {
    const parsed = schema.safeParse(JSON.parse(required(environment, name, meaning)))
    if (parsed.success) return parsed.data
  } catch (error) {
    if (environment[name] === undefined || environment[name] === '') throw error
  }
  throw new Error(`${name} is not what it should be: it takes ${meaning}.`)
}
