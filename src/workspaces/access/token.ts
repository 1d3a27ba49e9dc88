/** Secrets that are shown once and stored as a hash. In: randomness as bytes, or a token. Out: the token, or its hash. */
import { hash } from 'node:crypto'

/** 256 bits: not guessable, so a fast hash is enough. */
export const TOKEN_BYTES = 32
export const API_KEY_PREFIX = 'tlk_'
const SHOWN_CHARACTERS = 10

export const tokenFrom = (random: Buffer): string => random.toString('base64url')

export const hashToken = (token: string): Buffer => hash('sha256', token, 'buffer')

/** The first characters, so that people can tell keys apart; never enough of a short key to be of use. */
export const shownPrefix = (token: string): string =>
  token.slice(0, Math.min(SHOWN_CHARACTERS, Math.floor(token.length / 4)))
