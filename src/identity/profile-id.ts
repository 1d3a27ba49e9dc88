import { createHmac } from 'node:crypto'
import type { Identifier } from '../spec/identifier.ts'

/**
 * Public ids of profiles: in, a workspace's key and an identifier; out, the id of the profile that this identifier
 * represents. No table gives them out, so a rebuild, a split or an undo brings the same ids back by itself, and
 * nobody without the key can tell an e-mail address from its id.
 */

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const prefix = 'p_'
const idBytes = 16
const idDigits = 26

/** 128 bits as a UUID in text, the form in which PostgreSQL stores it. */
export function publicIdOf(workspaceKey: Uint8Array, identifier: Identifier): string {
  const hash = createHmac('sha256', workspaceKey).update(`${identifier.namespace}\0${identifier.value}`).digest('hex')
  return formatUuid(hash.slice(0, idBytes * 2))
}

/** `p_…` of a public id: base32 in lower case (RFC 4648 without padding). */
export function profileIdOf(publicId: string): string {
  let bits = BigInt(`0x${publicId.replaceAll('-', '')}`) << 2n
  let digits = ''
  for (let index = 0; index < idDigits; index += 1) {
    digits = alphabet.charAt(Number(bits & 31n)) + digits
    bits >>= 5n
  }
  return prefix + digits
}

/** The public id (a UUID) of `p_…`; undefined for text that is no profile id. */
export function publicIdOfProfile(profileId: string): string | undefined {
  if (!profileId.startsWith(prefix) || profileId.length !== prefix.length + idDigits) return undefined
  let bits = 0n
  for (const digit of profileId.slice(prefix.length)) {
    const value = alphabet.indexOf(digit)
    if (value < 0) return undefined
    bits = (bits << 5n) | BigInt(value)
  }
  // 26 digits hold 130 bits; the two at the end are always zero, or one profile would have four names.
  if ((bits & 3n) !== 0n) return undefined
  return formatUuid((bits >> 2n).toString(16).padStart(idBytes * 2, '0'))
}

const formatUuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
