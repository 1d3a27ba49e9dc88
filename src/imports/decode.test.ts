import fc from 'fast-check'
import iconv from 'iconv-lite'
import { describe, expect, test } from 'vitest'
import { DAMAGED, decodeText, guessEncoding } from './decode.ts'

async function decode(bytes: Buffer, encoding: string, cuts: number[] = []) {
  const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  async function* pieces() {
    let from = 0
    for (const to of [...places, bytes.length]) {
      yield bytes.subarray(from, to)
      from = to
    }
  }
  const decoding = decodeText(pieces(), encoding, 0)
  let text = ''
  for await (const block of decoding.blocks) {
    text += block.text
    if (!text.includes(DAMAGED) && !Number.isNaN(block.endByte)) {
      expect(decoding.bytesOf(text)).toBe(block.endByte)
    }
  }
  return { text, encoding: decoding.encoding() }
}

const text = fc.string({
  unit: fc.constantFrom('a', '1', ',', '\n', 'é', 'ö', '€', '漢', '😀', '\uFFFD'),
  maxLength: 40,
})
const western = fc.string({ unit: fc.constantFrom('a', '1', ',', '\n', 'é', 'ö', '€', 'ß', '’'), maxLength: 40 })
const cuts = fc.array(fc.nat(), { maxLength: 10 })

describe('text', () => {
  test.each(['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'gb18030', 'UTF8'])(
    'comes whole out of %s, however it is cut',
    async encoding => {
      await fc.assert(
        fc.asyncProperty(text, cuts, async (written, places) => {
          const bytes = iconv.encode(written, encoding, { addBOM: false })
          expect((await decode(bytes, encoding, places)).text).toBe(written)
        }),
      )
    },
  )

  test('that begins as ASCII is UTF-8 or windows-1252, as its first other byte shows, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(western, cuts, fc.constantFrom('utf-8', 'windows-1252'), async (written, places, encoding) => {
        const bytes = iconv.encode(`abc,${written}`, encoding)
        const read = await decode(bytes, 'ascii', places)
        // Two letters of windows-1252 that look like one of UTF-8 cannot be told apart from it.
        const firstOther = [...bytes.toString('utf8')].find(letter => letter > '\x7F')
        const looksLikeUtf8 = encoding === 'windows-1252' && firstOther !== '\uFFFD'
        const isPlain = firstOther === undefined
        if (isPlain) expect(read).toEqual({ text: `abc,${written}`, encoding: 'ascii' })
        else if (!looksLikeUtf8) expect(read).toEqual({ text: `abc,${written}`, encoding })
      }),
      { numRuns: 300 },
    )
  })

  test('with bytes that are no UTF-8 is marked in their line only, and a U+FFFD of its own is not', async () => {
    const bytes = Buffer.concat([Buffer.from('é,\uFFFD\n'), Buffer.from([0x61, 0xff, 0x0a]), Buffer.from('ok é\n')])
    expect((await decode(bytes, 'utf-8')).text).toBe(`é,\uFFFD\na${DAMAGED}\nok é\n`)
  })

  test('cut off inside a character is marked', async () => {
    expect((await decode(Buffer.from('abcé').subarray(0, 4), 'utf-8')).text).toBe(`abc${DAMAGED}`)
  })
})

describe('the encoding', () => {
  test.each([
    ['utf-8', 3],
    ['utf-16le', 2],
    ['utf-16be', 2],
    ['utf-32le', 4],
    ['utf-32be', 4],
    ['gb18030', 4],
  ])('%s is told by its BOM, whatever was said', (encoding, bomBytes) => {
    const bytes = iconv.encode('\uFEFFid,name', encoding, { addBOM: false })
    expect(guessEncoding(bytes, 'windows-1252')).toEqual({ encoding, bomBytes })
  })

  test.each([
    ['utf-16le', 'id,name\n1,Åsa\n'],
    ['utf-16be', 'id,name\n1,Åsa\n'],
    ['utf-8', 'id,name\n1,Åsa\n'],
    ['windows-1252', 'id,name\n1,Åsa – 5 €\n'],
    ['ascii', 'id,name\n1,Asa\n'],
  ])('%s is told by its bytes', (encoding, written) => {
    expect(guessEncoding(iconv.encode(written, encoding, { addBOM: false })).encoding).toBe(encoding)
  })

  test('is UTF-8 also where the sample ends inside a character', () => {
    const bytes = Buffer.from('Åsa Åsa')
    expect(guessEncoding(bytes.subarray(0, bytes.length - 3)).encoding).toBe('utf-8')
    expect(guessEncoding(bytes.subarray(0, 6)).encoding).toBe('utf-8')
  })
})
