/**
 * What S3 answers to a request that it does not take: a status, a code and a sentence as XML. Codes and statuses are
 * those of "Error responses" (Amazon S3 API Reference, "List of error codes").
 */
export class Refusal extends Error {
  readonly code: string
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The XML of a refusal ("REST error responses"). */
export function describeRefusal(refusal: Refusal, where: { resource: string; requestId: string }): string {
  const parts = { Code: refusal.code, Message: refusal.message, Resource: where.resource, RequestId: where.requestId }
  return xml(
    'Error',
    Object.entries(parts)
      .map(([name, text]) => element(name, text))
      .join(''),
  )
}

export function xml(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${inner}</${root}>`
}

export function element(name: string, text: string): string {
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // No XML 1.0 document may hold the other controls.
    .replace(/[^\t\n\r\P{Cc}]/gu, '')
  return `<${name}>${escaped}</${name}>`
}
