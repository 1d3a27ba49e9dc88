/**
 * In: a person and the serial number of one of their calls. Out: a messageId that looks like any client's and that only
 * the seed can lead back to the person.
 *
 * So "who truly made this call" needs no table: it can be asked of any stored event, in any order, for any number of
 * people. The pair goes through a Feistel network (M. Luby, C. Rackoff, SIAM J. Comput. 17 (1988), 373) of six rounds;
 * the remaining 58 bits of the UUID are a check, so that a foreign id is recognised as such.
 */
import { type Key, scramble, uuidOf } from './random.ts'

/** Stands for "nobody": the catalogue's own calls. */
export const PERSONLESS = 0xffff_ffff
/** Episodes of a life × calls of an episode share 32 bits. */
export const CALLS_PER_EPISODE_MAX = 4096
export const EPISODES_MAX = 0xf_ffff

const FEISTEL_ROUNDS = 6
const ROUND_STEP = 0x9e3779b9
const CHECK_1 = 0x1b873593
const CHECK_2 = 0xe6546b64

const roundKey = (key: Key, round: number): number =>
  ((round % 2 === 0 ? key.low : key.high) + Math.imul(ROUND_STEP, round + 1)) >>> 0

/** The UUID of one call. `serial` = episode × CALLS_PER_EPISODE_MAX + number within it. */
export const sealCall = (key: Key, person: number, serial: number): string => {
  let left = person >>> 0
  let right = serial >>> 0
  for (let round = 0; round < FEISTEL_ROUNDS; round += 1) {
    const next = (left ^ scramble(right, roundKey(key, round))) >>> 0
    left = right
    right = next
  }
  return uuidOf(left, scramble(left ^ right, key.low ^ CHECK_1), scramble(left + right, key.high ^ CHECK_2), right)
}

const UUID_AT_END = /([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})([0-9a-f]{8})$/

export interface CallOrigin {
  /** Index of the person, or null for the catalogue's calls. */
  person: number | null
  episode: number
  number: number
}

/** Where a messageId comes from; null when this seed did not make it. Whatever a client puts before the UUID is ignored. */
export const openCall = (key: Key, messageId: string): CallOrigin | null => {
  const match = UUID_AT_END.exec(messageId)
  if (!match) return null
  let left = Number.parseInt(match[1] ?? '', 16)
  let right = Number.parseInt(match[6] ?? '', 16)
  for (let round = FEISTEL_ROUNDS - 1; round >= 0; round -= 1) {
    const previous = (right ^ scramble(left, roundKey(key, round))) >>> 0
    right = left
    left = previous
  }
  if (!messageId.endsWith(sealCall(key, left, right))) return null
  return {
    person: left === PERSONLESS ? null : left,
    episode: Math.floor(right / CALLS_PER_EPISODE_MAX),
    number: right % CALLS_PER_EPISODE_MAX,
  }
}
