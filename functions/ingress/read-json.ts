import { Fault } from '../../shared/errors/fault.ts'
import { readAtMost } from './read-at-most.ts'

/**
 * The body of a request as JSON, read no further than `limit` bytes; the text goes with it because its hash does.
 * @throws Fault `request.too-large`, `request.unsupported-media` (not JSON by its type, or not UTF-8),
 *   `request.malformed`.
 */
export async function readJson(request: Request, limit: number): Promise<{ text: string; value: unknown }> {
  if (!isJsonInUtf8(request.headers.get('content-type'))) {
    throw new Fault('request.unsupported-media', 'the Content-Type is not application/json in UTF-8')
  }
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new Fault('request.unsupported-media', 'a Content-Encoding is not taken')
  }
  const text = decode(await readAtMost(request, limit))
  try {
    return { text, value: JSON.parse(text) }
  } catch (cause) {
    throw new Fault('request.malformed', 'the body is not JSON', { cause })
  }
}

function isJsonInUtf8(contentType: string | null): boolean {
  const [mediaType = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  if (mediaType.trim() !== 'application/json') return false
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=')
    return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim())
  })
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Fault('request.unsupported-media', 'the body is not UTF-8', { cause })
  }
}
