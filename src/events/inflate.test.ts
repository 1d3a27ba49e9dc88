import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inflate, isDeflated } from './inflate.ts'

const MAX = 100_000
const text = Buffer.from(JSON.stringify({ event: 'Seen', text: 'häßlich '.repeat(20) }))
const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }

describe('inflate', () => {
  test.each(Object.entries(encoders))('undoes %s, small and large', async (name, encode) => {
    for (const body of [
      text,
      Buffer.alloc(MAX, 'ab'),
      Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7919) % 251)),
    ]) {
      expect(isDeflated(encode(body), name)).toBe(true)
      expect(await inflate(encode(body), name, MAX)).toEqual({ bytes: body })
    }
  })

  test('undoes deflate without its wrapping', async () => {
    expect(await inflate(deflateRawSync(text), 'deflate', MAX)).toEqual({ bytes: text })
  })

  test.each(['gzip', 'deflate', 'zstd'] as const)('undoes %s that no header tells of, or a wrong one', async name => {
    for (const header of [undefined, 'identity', 'br', 'nonsense'])
      expect(await inflate(encoders[name](text), header, MAX)).toEqual({ bytes: text })
  })

  test('leaves alone what is plain, whatever the header says', async () => {
    expect(isDeflated(text, undefined)).toBe(false)
    for (const header of [undefined, 'gzip', 'br', 'deflate', 'zstd'])
      expect(await inflate(text, header, MAX)).toEqual({ bytes: text })
  })

  test('undoes two layers, and takes a third for damage', async () => {
    expect(await inflate(gzipSync(zstdCompressSync(text)), 'gzip', MAX)).toEqual({ bytes: text })
    expect(await inflate(gzipSync(gzipSync(gzipSync(text))), 'gzip', MAX)).toEqual({ fault: 'damaged' })
  })

  test.each(Object.entries(encoders))('cuts off a bomb of %s at the limit', async (name, encode) => {
    const bomb = encode(Buffer.alloc(50_000_000))
    expect(await inflate(bomb, name, MAX)).toEqual({ fault: 'too_large' })
    expect(await inflate(encode(Buffer.alloc(MAX + 1)), name, MAX)).toEqual({ fault: 'too_large' })
    expect(await inflate(encode(Buffer.alloc(MAX)), name, MAX)).toEqual({ bytes: Buffer.alloc(MAX) })
  })

  test('takes a body that is plainly too large for that', async () => {
    expect(await inflate(Buffer.alloc(MAX + 1, ' '), undefined, MAX)).toEqual({ fault: 'too_large' })
  })

  test('never throws, whatever the bytes and the header are', async () => {
    const headers = fc.constantFrom(undefined, 'gzip', 'br', 'deflate', 'zstd', 'gzip, br')
    const starts = fc.constantFrom([], [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0x78, 0x9c])
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), starts, headers, async (bytes, start, header) => {
        const result = await inflate(Buffer.from([...start, ...bytes]), header, MAX)
        expect('bytes' in result || ['too_large', 'damaged'].includes(result.fault)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
