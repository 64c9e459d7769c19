import { Fault } from '../errors/fault.ts'
import { connectModel, type Endpoint, shownUrl } from './endpoint.ts'
import { openModel } from './open-model.ts'

export type ModelProbe = { ok: true; model: string } | { ok: false; sentence: string }

/** A question whose answer needs no knowledge, to see that structured output works. */
const trial = {
  message: 'apple',
  asked: null,
  labels: [
    { name: 'fruit', means: 'names a fruit', examples: ['apple', 'pear'] },
    { name: 'tool', means: 'names a tool', examples: ['hammer', 'saw'] },
  ],
}

/**
 * Asks the model one tiny structured question and, where that fails, says in one sentence what to set right: address,
 * model name (with the names that are served), key, or a server without structured output. Throws nothing.
 */
export async function probeModel(options: Endpoint & { timeoutMs?: number }, signal: AbortSignal): Promise<ModelProbe> {
  try {
    const answer = await openModel(options).decide(trial, signal)
    if (answer.value !== null) return { ok: true, model: options.model }
    return no(
      `Model "${options.model}" at ${shownUrl(options.url)} answers, but not in the JSON schema it is asked for: a server and model with structured output (response_format json_schema) are needed, and a model that "thinks" first must have that switched off.`,
    )
  } catch (error) {
    if (!Fault.is(error))
      return no('The model service could not be asked: the client failed in a way it does not know.')
    return no(await explain(error, options, signal))
  }
}

async function explain(fault: Fault, options: Endpoint, signal: AbortSignal): Promise<string> {
  if (!URL.canParse(options.url)) return 'LLM_URL is not a URL: it should look like http://localhost:8000/v1.'
  if (/user name or password/.test(fault.message))
    return 'LLM_URL holds a user name or password: put the key into LLM_API_KEY.'
  const where = shownUrl(options.url)
  if (fault.code === 'model.timeout') return `${where} did not answer in time; the model may still be loading.`
  if (fault.code === 'model.overloaded')
    return `${where} is there but full or still loading its model (503): try again later.`
  if (fault.code === 'model.unavailable') return `Nothing usable answers at ${fault.message}.`
  if (/refuses the key/.test(fault.message)) {
    return options.apiKey === ''
      ? `${where} wants a key and was given none: set LLM_API_KEY.`
      : `${where} refuses the key it was given: check LLM_API_KEY.`
  }
  if (!/answered 404/.test(fault.message)) return `${fault.message}.`
  const served = await servedModels(options, signal)
  if (served === undefined)
    return `${where} answers, but is no OpenAI-compatible API: check LLM_URL (it usually ends in /v1).`
  if (served.includes(options.model))
    return `${where} lists model "${options.model}" but does not serve chat completions with it.`
  const names = served.slice(0, 10).map((name) => `"${name}"`)
  return `${where} does not serve model "${options.model}"; it serves ${names.length === 0 ? 'none' : names.join(', ')}: set LLM_MODEL.`
}

/** The names the server lists; undefined where it has no list. */
async function servedModels(options: Endpoint, signal: AbortSignal): Promise<string[] | undefined> {
  try {
    const client = await connectModel(options, 10_000)
    const page: { data?: unknown } = await client.models.list({ signal })
    if (!Array.isArray(page.data)) return undefined
    return page.data.flatMap((model: unknown) =>
      typeof model === 'object' && model !== null && 'id' in model && typeof model.id === 'string' ? [model.id] : [],
    )
  } catch {
    return undefined
  }
}

function no(sentence: string): ModelProbe {
  return { ok: false, sentence }
}
