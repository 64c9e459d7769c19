import type { OpenAI } from 'openai'
import { Fault } from '../errors/fault.ts'

/** Bytes of an answer that are read; no answer of ours needs more. */
const longestAnswer = 4 * 1_048_576

export interface Endpoint {
  /** Base URL of an OpenAI-compatible API; a bare origin means its /v1. */
  url: string
  /** The model's name as the server lists it. */
  model: string
  /** Empty where the server asks for none. */
  apiKey: string
}

/**
 * The base URL a client is given: http or https, no trailing slash, `/v1` where the address has no path.
 * @throws Fault model.misconfigured
 */
export function baseUrl(url: string): string {
  const parsed = URL.canParse(url.trim()) ? new URL(url.trim()) : undefined
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new Fault('model.misconfigured', 'the address of the model service is not an http or https URL')
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new Fault(
      'model.misconfigured',
      'the address of the model service holds a user name or password; give the key apart',
    )
  }
  if (parsed.pathname === '/') parsed.pathname = '/v1'
  parsed.hash = ''
  return parsed.href.replace(/\/+$/, '')
}

/** The base URL without its query, which may hold a key. */
export function shownUrl(url: string): string {
  const parsed = new URL(baseUrl(url))
  return `${parsed.origin}${parsed.pathname}`
}

/**
 * The maintainers' client for an endpoint, loaded on first use (it takes some 50 ms). Nothing is retried inside it:
 * the broker retries. Nothing comes from its own environment variables. Redirects are refused: they would carry the
 * employee's words to an address nobody configured.
 */
export async function connectModel(endpoint: Endpoint, timeoutMs: number): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    baseURL: baseUrl(endpoint.url),
    apiKey: endpoint.apiKey === '' ? 'none' : endpoint.apiKey,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
    fetch: boundedFetch,
    fetchOptions: { redirect: 'manual' },
  })
}

async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init)
  if (response.body === null) return response
  let size = 0
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength
        if (size > longestAnswer) controller.error(new Fault('model.misconfigured', 'the answer is larger than 4 MiB'))
        else controller.enqueue(chunk)
      },
    }),
  )
  return new Response(bounded, { status: response.status, statusText: response.statusText, headers: response.headers })
}
