/** Passwords as argon2id. In: a password. Out: its hash, or whether it fits, in the same time whether or not there is one to fit. */
import { hash, verify } from '@node-rs/argon2'

export const PASSWORD_CHARACTERS_MIN = 8
export const PASSWORD_CHARACTERS_MAX = 256

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. The algorithm's default is argon2id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Stored for accounts that have no password yet; fits nothing. */
export const NO_PASSWORD = '!'

/** A hash of nothing anyone knows, at the same cost: verified against where there is no real one. */
const DECOY = '$argon2id$v=19$m=19456,t=2,p=1$ABzL7y04phX1UPEorJInsA$nyq8C4S/whaBT6FouGIg7BfHh4pk96dPCgY13JxhyOA'

export const hashPassword = (password: string): Promise<string> => hash(password, COST)

/** `stored` undefined (no such account) costs exactly as much as a wrong password. */
export async function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  const hasPassword = stored !== undefined && stored !== NO_PASSWORD
  const fits = await verify(hasPassword ? stored : DECOY, password)
  return fits && hasPassword
}
