import { Fault } from '../errors/fault.ts'

/** Longer tokens than any issuer makes; what is longer is not even looked at. */
const longest = 8_192

/**
 * The token of an Authorization header: exactly the scheme Bearer and one token68 (RFC 6750, section 2.1).
 * @throws Fault `identity.missing` without a header, `identity.invalid` for anything else than one bearer token.
 */
export function readBearer(authorization: string | null): string {
  if (authorization === null || authorization === '') throw new Fault('identity.missing', 'no Authorization header')
  if (authorization.length > longest) throw new Fault('identity.invalid', 'the Authorization header is too long')
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
  if (token === undefined) throw new Fault('identity.invalid', 'the Authorization header is not one bearer token')
  return token
}
