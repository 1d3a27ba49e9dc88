import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createItemSplitter, createLineSplitter } from './json-splitter.ts'
import { FileFault, JSON_DEPTH_MAX, ROW_CHARS_MAX, type RowDraft, type Splitter } from './row.ts'

function splitInPieces(splitter: Splitter, text: string, cuts: number[]): RowDraft[] {
  const places = [...new Set(cuts.map(cut => cut % (text.length + 1)))].sort((a, b) => a - b)
  const drafts: RowDraft[] = []
  let carry = ''
  let from = 0
  const pieces = [...places, text.length].map(to => {
    const piece = text.slice(from, to)
    from = to
    return piece
  })
  for (const [index, each] of [...pieces, ''].entries()) {
    const piece = carry + each
    const result = splitter.split(piece, index === pieces.length)
    drafts.push(...result.drafts)
    carry = piece.slice(result.consumed)
  }
  return drafts
}
const valuesOf = (drafts: RowDraft[]) => drafts.map(draft => (draft.reject ? draft.reject.reason : draft.values))
const read = (splitter: Splitter, text: string) => valuesOf(splitInPieces(splitter, text, []))

const key = fc.constantFrom('a', 'b', 'data', 'x"y', '{', ']', '\\')
const value = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', ']', ',', '\n', 'é', '😀', '[') }),
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
)
const row = fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value, { maxKeys: 3 })), { maxKeys: 5 })
const indent = fc.constantFrom(undefined, 2)
const cuts = fc.array(fc.nat(), { maxLength: 30 })

describe('rows of a JSON file', () => {
  test('are the items of its list, however the text is indented and cut', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), indent, cuts, (rows, space, places) => {
        const text = JSON.stringify(rows, null, space)
        expect(valuesOf(splitInPieces(createItemSplitter('array'), text, places))).toEqual(rows)
      }),
      { numRuns: 500 },
    )
  })

  test('are found in the list inside an object, before and behind other fields', () => {
    const frame = fc.dictionary(fc.constantFrom('meta', 'page', 'x"y'), fc.oneof(value, fc.dictionary(key, value)), {
      maxKeys: 3,
    })
    fc.assert(
      fc.property(
        frame,
        fc.array(row, { minLength: 1, maxLength: 6 }),
        frame,
        indent,
        cuts,
        (before, rows, after, space, places) => {
          const text = JSON.stringify(
            { ...before, rows, ...Object.fromEntries(Object.entries(after).map(([name, each]) => [`${name}_`, each])) },
            null,
            space,
          )
          expect(valuesOf(splitInPieces(createItemSplitter('object', 'rows'), text, places))).toEqual(rows)
          expect(valuesOf(splitInPieces(createItemSplitter('object'), text, places))).toEqual(rows)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('may follow one another without a list', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), indent, cuts, (rows, space, places) => {
        const text = rows.map(each => JSON.stringify(each, null, space)).join('\n')
        expect(valuesOf(splitInPieces(createItemSplitter('sequence'), text, places))).toEqual(rows)
      }),
    )
  })

  test('are rejected one by one where they are no objects, no JSON, too deep, or hold a NUL', () => {
    const deep = `${'{"a":'.repeat(JSON_DEPTH_MAX + 1)}1${'}'.repeat(JSON_DEPTH_MAX + 1)}`
    expect(read(createItemSplitter('array'), `[{"a":1}, 2, "x", {"a" 1}, {"a":"\\u0000"}, ${deep}, {"a":3}]`)).toEqual([
      { a: 1 },
      'not_an_object',
      'not_an_object',
      'invalid_json',
      'nul_character',
      'too_deep',
      { a: 3 },
    ])
  })

  test('keep whole numbers that are too long for a number as text', () => {
    expect(read(createItemSplitter('array'), '[{"id":12345678901234567890,"n":12.5,"m":1e3}]')).toEqual([
      { id: '12345678901234567890', n: 12.5, m: 1000 },
    ])
  })

  test('cut short by the end of the file are rejected, the ones before are read', () => {
    expect(read(createItemSplitter('array'), '[{"a":1},{"a":')).toEqual([{ a: 1 }, 'invalid_json'])
    expect(read(createItemSplitter('array'), '[{"a":1}')).toEqual([{ a: 1 }, 'invalid_json'])
  })

  test.each([
    ['several_lists', 'object', '{"a":[{"x":1}],"b":[{"y":1}]}'],
    ['no_list', 'object', '{"a":[1,2],"b":{"c":[{"d":1}]}}'],
    ['damaged_json', 'array', '[{"a":1}] trailing'],
    ['damaged_json', 'object', '{"a" [1]}'],
  ] as const)('are not guessed at: %s', (reason, shape, text) => {
    expect(() => read(createItemSplitter(shape), text)).toThrow(expect.objectContaining({ reason }))
  })

  test('never hold more than one row in memory', () => {
    const endless = `[{"a":"${'x'.repeat(ROW_CHARS_MAX + 1)}`
    expect(() => createItemSplitter('array').split(endless, false)).toThrow(FileFault)
  })
})

describe('rows of an NDJSON file', () => {
  test('are its lines, blank ones apart, however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), cuts, (rows, places) => {
        const text = rows.map(each => `${JSON.stringify(each)}\r\n\n`).join('')
        expect(valuesOf(splitInPieces(createLineSplitter(), text, places))).toEqual(rows)
      }),
    )
  })

  test('are passed over when longer than any row', () => {
    const splitter = createLineSplitter()
    expect(valuesOf(splitter.split(`{"a":1}\n${'x'.repeat(ROW_CHARS_MAX + 1)}`, false).drafts)).toEqual([
      { a: 1 },
      'row_too_long',
    ])
    expect(valuesOf(splitter.split('xx\n{"a":2}', true).drafts)).toEqual([{ a: 2 }])
  })
})
