import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

/** The demo's key pair: whoever can read its file is the issuer. */
export interface IssuerKey {
  /** The thumbprint of the key (RFC 7638). */
  kid: string
  /** What a verifier may know. */
  publicJwk: JWK
  private: CryptoKey
}

const fileIn = (folder: string) => join(folder, 'issuer-key.json')

/** The key of a data folder, made on first use and readable by its owner alone. Two first starts agree on one key. */
export async function openKey(folder: string): Promise<IssuerKey> {
  const known = await readKey(folder)
  if (known !== null) return known
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Written aside and linked: the file appears whole, and only if there is none yet.
  const draft = `${fileIn(folder)}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, fileIn(folder))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  const made = await readKey(folder)
  if (made === null) throw new Error(`${fileIn(folder)} vanished while it was made`)
  return made
}

/** The key of a data folder; null where there is none yet. */
export async function readKey(folder: string): Promise<IssuerKey | null> {
  const text = await readFile(fileIn(folder), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  })
  if (text === null) return null
  const secret: JWK = JSON.parse(text)
  const key = await importJWK(secret, 'EdDSA')
  if (key instanceof Uint8Array || key.type !== 'private') throw new Error(`${fileIn(folder)} holds no private key`)
  const kid = await calculateJwkThumbprint(secret)
  const { d: _secret, ...open } = secret
  return { kid, publicJwk: { ...open, kid, alg: 'EdDSA', use: 'sig' }, private: key }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}
