import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Fault } from '../../../shared/errors/fault.ts'

/** The page may load and call its own origin and nothing else; there is no inline script or style in it. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** The chat, the page of a link, and that of accounts and copies. */
const pages = ['index.html', 'link.html', 'settings.html'] as const
export type PageName = (typeof pages)[number]

export interface Page {
  /** One of the pages. */
  page(request: Request, name: PageName): Promise<Response>
  /** A file of its own, by the name that has its content's hash in it. @throws Fault `request.not-found` */
  asset(request: Request, name: string): Promise<Response>
}

interface Served {
  bytes: Uint8Array<ArrayBuffer>
  packed: Uint8Array<ArrayBuffer>
  type: string
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The built page (scripts/build.ts), read when somebody first opens it. */
export function openPage(folder: string): Page {
  let reading: Promise<Map<string, Served>> | undefined
  const files = async (): Promise<Map<string, Served>> => {
    reading ??= readFiles(folder)
    // A folder that could not be read is looked at again with the next request.
    reading.catch(() => {
      reading = undefined
    })
    return await reading
  }
  return {
    async page(request, name) {
      return serve((await files()).get(name), request, 'no-cache')
    },
    async asset(request, name) {
      return serve((await files()).get(`assets/${name}`), request, 'public, max-age=31536000, immutable')
    },
  }
}

function serve(file: Served | undefined, request: Request, caching: string): Response {
  if (file === undefined) throw new Fault('request.not-found', 'the page has no such file')
  const isPacked = takesGzip(request.headers.get('accept-encoding'))
  const body = isPacked ? file.packed : file.bytes
  return new Response(request.method === 'HEAD' ? null : body, {
    headers: {
      'content-type': file.type,
      'content-length': String(body.byteLength),
      'content-security-policy': pagePolicy,
      'cache-control': caching,
      vary: 'accept-encoding',
      ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
    },
  })
}

function takesGzip(header: string | null): boolean {
  return (header ?? '').split(',').some((coding) => /^\s*gzip\s*(;\s*q=(1|0\.[0-9]*[1-9])[0-9.]*\s*)?$/i.test(coding))
}

async function readFiles(folder: string): Promise<Map<string, Served>> {
  const names = [...pages, ...(await readdir(join(folder, 'assets'))).map((name) => `assets/${name}`)]
  const files = names.map(async (name) => {
    const bytes = new Uint8Array(await readFile(join(folder, name)))
    const packed = new Uint8Array(await promisify(gzip)(bytes, { level: 9 }))
    return [name, { bytes, packed, type: types[extname(name)] ?? 'application/octet-stream' }] as const
  })
  return new Map(await Promise.all(files))
}
