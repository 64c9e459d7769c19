import { generateKeyPairSync } from 'node:crypto'
import { dkimSign } from 'mailauth'
import type { Resolve } from '../prove-sender.ts'

/** A domain that signs its mails, and the DNS that says so. */
export interface SigningDomain {
  domain: string
  sign(
    raw: string | Buffer,
    options?: { headers?: string; bodyLength?: number; expires?: Date; at?: Date },
  ): Promise<Buffer>
  records: Record<string, string>
}

/** A domain with a key of its own; `dmarc`: its policy, or none. */
export function createDomain(domain: string, options: { dmarc?: string | null; spf?: string } = {}): SigningDomain {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const { dmarc = 'v=DMARC1; p=reject', spf } = options
  return {
    domain,
    records: {
      [`TXT mail._domainkey.${domain}`]: `v=DKIM1; k=rsa; p=${key}`,
      ...(dmarc === null ? {} : { [`TXT _dmarc.${domain}`]: dmarc }),
      ...(spf === undefined ? {} : { [`TXT ${domain}`]: spf }),
    },
    async sign(raw, { headers, bodyLength, expires, at } = {}) {
      const bytes = Buffer.from(raw)
      const signature = {
        ...{ signingDomain: domain, selector: 'mail', privateKey: pem },
        headerList: headers ?? 'From:To:Cc:Subject:Date:Message-ID:In-Reply-To:References:Content-Type',
        ...(bodyLength === undefined ? {} : { maxBodyLength: bodyLength }),
        ...(at === undefined ? {} : { signTime: at }),
        ...(expires === undefined ? {} : { expires }),
      }
      const { signatures, errors } = await dkimSign(bytes, { ...signature, signatureData: [signature] })
      if (errors.length > 0) throw new Error('the mail could not be signed')
      return Buffer.concat([Buffer.from(signatures), bytes])
    },
  }
}

/** A DNS of these domains, which knows nothing else; `away`: names that it does not answer for. */
export function createDns(
  domains: readonly SigningDomain[],
  away: readonly string[] = [],
): Resolve & { asked: string[] } {
  const records = Object.assign({}, ...domains.map((domain) => domain.records)) as Record<string, string>
  const asked: string[] = []
  const resolve: Resolve = async (name, type) => {
    asked.push(`${type} ${name}`)
    if (away.some((one) => name.endsWith(one))) throw Object.assign(new Error('away'), { code: 'ESERVFAIL' })
    const found = records[`${type} ${name.toLowerCase()}`]
    if (found === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
    return [[found]]
  }
  return Object.assign(resolve, { asked })
}

/** The bytes of a mail as clients write them. */
export function writeMail(headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n${body.replace(/\r?\n/g, '\r\n')}\r\n`
}
