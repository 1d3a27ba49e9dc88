import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CALLS_PER_EPISODE_MAX, openCall, PERSONLESS, sealCall } from './message-id.ts'
import { cumulate, keyOf, philox, Stream, scramble } from './random.ts'

const block = (counter: [number, number, number, number], low: number, high: number): string[] => {
  const out = new Uint32Array(4)
  philox(counter, { low, high }, out)
  return [...out].map(word => word.toString(16).padStart(8, '0'))
}

const moments = (draw: () => number, count = 200_000): { mean: number; variance: number } => {
  let sum = 0
  let squares = 0
  for (let index = 0; index < count; index += 1) {
    const value = draw()
    sum += value
    squares += value * value
  }
  return { mean: sum / count, variance: squares / count - (sum / count) ** 2 }
}

describe('Philox4x32-10', () => {
  // The three known answers that its authors publish with Random123.
  test('gives the published answers', () => {
    expect(block([0, 0, 0, 0], 0, 0)).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'])
    const ones = 0xffffffff
    expect(block([ones, ones, ones, ones], ones, ones)).toEqual(['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'])
    expect(block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0)).toEqual([
      'd16cfe09',
      '94fdcceb',
      '5001e420',
      '24126ea1',
    ])
  })
})

describe('a stream', () => {
  test('repeats itself under the same name and differs under any other', () => {
    const draw = (...name: [number, number, number, number]) => {
      const stream = new Stream(keyOf(name[0]), name[1], name[2], name[3])
      return Array.from({ length: 9 }, () => stream.word()).join()
    }
    expect(draw(1, 2, 3, 4)).toBe(draw(1, 2, 3, 4))
    const names = [draw(1, 2, 3, 4), draw(2, 2, 3, 4), draw(1, 3, 3, 4), draw(1, 2, 4, 4), draw(1, 2, 3, 5)]
    expect(new Set(names).size).toBe(names.length)
    expect(draw(2 ** 40 + 1, 2, 3, 4)).not.toBe(draw(1, 2, 3, 4))
  })

  test('has the moments of its distributions', () => {
    const stream = new Stream(keyOf(7), 99, 0)
    const close = (found: { mean: number; variance: number }, mean: number, variance: number) => {
      const standardError = Math.sqrt(variance / 200_000)
      expect(Math.abs(found.mean - mean)).toBeLessThan(4.5 * standardError)
      expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.06)
    }
    close(
      moments(() => stream.unit()),
      1 / 2,
      1 / 12,
    )
    close(
      moments(() => stream.normal()),
      0,
      1,
    )
    close(
      moments(() => stream.exponential(3)),
      3,
      9,
    )
    close(
      moments(() => stream.gamma(0.7)),
      0.7,
      0.7,
    )
    close(
      moments(() => stream.gamma(4)),
      4,
      4,
    )
    close(
      moments(() => stream.beta(0.9, 4.5)),
      0.9 / 5.4,
      (0.9 * 4.5) / (5.4 ** 2 * 6.4),
    )
    close(
      moments(() => stream.geometric(0.5, 100)),
      1,
      2,
    )
    close(
      moments(() => stream.weighted([1, 0, 3])),
      1.5,
      0.75,
    )
    const sums = cumulate([1, 0, 3])
    close(
      moments(() => stream.among(sums)),
      1.5,
      0.75,
    )
  })
})

describe('a sealed call', () => {
  test('opens again to its person and number, whatever the client puts in front', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(0xffff_fffe), fc.nat(0xffff_ffff), (seed, person, serial) => {
        const key = keyOf(seed)
        const uuid = sealCall(key, person, serial)
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        const origin = {
          person,
          episode: Math.floor(serial / CALLS_PER_EPISODE_MAX),
          number: serial % CALLS_PER_EPISODE_MAX,
        }
        expect(openCall(key, `ajs-next-1730000000000-${uuid}`)).toEqual(origin)
      }),
    )
  })

  test('of nobody opens to nobody, and a foreign id opens to nothing', () => {
    const key = keyOf(11)
    expect(openCall(key, sealCall(key, PERSONLESS, 5))?.person).toBeNull()
    expect(openCall(keyOf(12), sealCall(key, 1, 5))).toBeNull()
    expect(openCall(key, 'not an id')).toBeNull()
    fc.assert(fc.property(fc.uuid({ version: 4 }), uuid => openCall(key, uuid) === null))
  })

  test('shows nothing of the person: neighbours share no prefix', () => {
    const key = keyOf(5)
    const starts = new Set(Array.from({ length: 1000 }, (_, person) => sealCall(key, person, 0).slice(0, 8)))
    expect(starts.size).toBeGreaterThan(990)
  })

  test('rests on a bijection', () => {
    const seen = new Set(Array.from({ length: 100_000 }, (_, word) => scramble(word, 77)))
    expect(seen.size).toBe(100_000)
  })
})
