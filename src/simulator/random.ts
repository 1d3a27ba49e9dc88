/**
 * In: a seed and the name of a stream (purpose, subject, part). Out: random numbers, the same for ever for the same name.
 *
 * The generator is Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC '11, section 4. It is counter-based: a stream is a name, not a position in a longer sequence, so each
 * person has streams of their own and adding people cannot move anybody's numbers. Known answers are in the test.
 */

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10
const TWO_16 = 0x1_0000
const TWO_32 = 0x1_0000_0000

/** The 64 bits of a seed as two unsigned words. */
export interface Key {
  readonly low: number
  readonly high: number
}

/** Splits a whole number of at most 2^53 into the generator's key. */
export const keyOf = (seed: number): Key => ({ low: seed >>> 0, high: Math.floor(seed / TWO_32) >>> 0 })

/** What a stream is for. Numbers are part of the output's definition: append, never renumber. */
export const purposes = {
  household: 1,
  company: 2,
  person: 3,
  device: 4,
  anonymousId: 5,
  purchases: 6,
  basket: 7,
  browsing: 8,
  mail: 9,
  salesCall: 10,
  service: 11,
  session: 12,
  render: 13,
  fault: 14,
  product: 15,
  aftermath: 16,
  social: 17,
  store: 18,
} as const

/** Upper 32 bits of the product of two unsigned words; each partial product stays below 2^53, so doubles are exact. */
const multiplyHigh = (left: number, right: number): number => {
  const low = left * (right & 0xffff)
  const high = left * (right >>> 16)
  return Math.floor((high + Math.floor(low / TWO_16)) / TWO_16)
}

/** One block of Philox4x32-10: four words into `out` from a counter of four words and a key of two. */
export const philox = (counter: readonly [number, number, number, number], key: Key, out: Uint32Array): void => {
  let [c0, c1, c2, c3] = counter
  let k0 = key.low
  let k1 = key.high
  for (let round = 0; round < ROUNDS; round += 1) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** Running sums of weights, for `Stream.among`. */
export const cumulate = (weights: readonly number[]): Float64Array => {
  const sums = new Float64Array(weights.length)
  let sum = 0
  weights.forEach((weight, index) => {
    sum += weight
    sums[index] = sum
  })
  return sums
}

/** One named stream of random numbers. Cheap to make; draws cost some 20–40 ns. */
export class Stream {
  readonly #key: Key
  readonly #counter: [number, number, number, number]
  readonly #block = new Uint32Array(4)
  #next = 4

  constructor(key: Key, purpose: number, subject: number, part = 0) {
    this.#key = key
    this.#counter = [0, part, subject, purpose]
  }

  /** An unsigned 32-bit word. */
  word(): number {
    if (this.#next === 4) {
      philox(this.#counter, this.#key, this.#block)
      this.#counter[0] += 1
      this.#next = 0
    }
    const word = this.#block[this.#next] ?? 0
    this.#next += 1
    return word
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  unit(): number {
    return this.word() / TWO_32
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit()
  }

  /** A whole number in 0 … bound − 1. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Index of one of `weights`, in proportion to them. */
  weighted(weights: ArrayLike<number>): number {
    let total = 0
    for (let index = 0; index < weights.length; index += 1) total += weights[index] ?? 0
    let left = this.unit() * total
    for (let index = 0; index < weights.length - 1; index += 1) {
      left -= weights[index] ?? 0
      if (left < 0) return index
    }
    return weights.length - 1
  }

  /** Like `weighted`, with running sums made once by `cumulate`. */
  among(sums: Float64Array): number {
    const last = sums.length - 1
    const drawn = this.unit() * (sums[last] ?? 0)
    let index = 0
    while (index < last && (sums[index] ?? 0) <= drawn) index += 1
    return index
  }

  /** Exponential by inversion. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit())
  }

  /** Standard normal: G. E. P. Box, M. E. Muller, Annals of Mathematical Statistics 29 (1958), 610. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()))
    return radius * Math.cos(2 * Math.PI * this.unit())
  }

  /** Log-normal with the given median; `sigma` is the standard deviation of its logarithm. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal())
  }

  /** Gamma with rate 1: G. Marsaglia, W. W. Tsang, ACM TOMS 26 (2000), 363; below shape 1 by their section 6. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.unit()) ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - this.unit()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }

  beta(a: number, b: number): number {
    const x = this.gamma(a)
    return x / (x + this.gamma(b))
  }

  /** How many successes before the first failure, at most `limit`. */
  geometric(probability: number, limit: number): number {
    let count = 0
    while (count < limit && this.unit() < probability) count += 1
    return count
  }

  /** A version 4 UUID. */
  uuid(): string {
    return uuidOf(this.word(), this.word(), this.word(), this.word())
  }
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const hex16 = (word: number): string => (hexPairs[(word >>> 8) & 255] ?? '') + (hexPairs[word & 255] ?? '')

/** Eight hexadecimal digits of an unsigned word. */
export const hex32 = (word: number): string => hex16(word >>> 16) + hex16(word)

/** Four words as a version 4 UUID (RFC 9562): six bits are overwritten. */
export const uuidOf = (a: number, b: number, c: number, d: number): string =>
  `${hex32(a)}-${hex16(b >>> 16)}-${hex16((b & 0x0fff) | 0x4000)}-${hex16(((c >>> 16) & 0x3fff) | 0x8000)}-${hex16(c)}${hex32(d)}`

/**
 * A bijection on 32-bit words: the finaliser of MurmurHash3 (A. Appleby, public domain) after adding the key. Makes
 * numbers that look unrelated and never collide.
 */
export const scramble = (word: number, key: number): number => {
  let mixed = (word ^ key) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
