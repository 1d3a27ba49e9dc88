import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDelimitedSplitter, type Dialect, splitRecords } from './delimited.ts'
import { CELL_CHARS_MAX, QUOTED_LINES_MAX, ROW_CHARS_MAX, type RowDraft } from './row.ts'

const comma: Dialect = { delimiter: ',', quote: '"', newline: '\n' }
const cellsOf = (text: string, dialect = comma) => splitRecords(text, true, dialect).records.map(record => record.cells)

/** Gives the splitter the text in pieces, as a stream would. */
function splitInPieces(text: string, columns: string[], cuts: number[]): RowDraft[] {
  const splitter = createDelimitedSplitter(comma, columns, columns.length)
  const drafts: RowDraft[] = []
  let carry = ''
  const places = [...new Set(cuts.map(cut => cut % (text.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const to of [...places, text.length]) {
    const piece = carry + text.slice(from, to)
    const { drafts: some, consumed } = splitter.split(piece, to === text.length && from <= to && to === text.length)
    drafts.push(...some)
    carry = piece.slice(consumed)
    from = to
  }
  return drafts
}

/** Cells as files have them: quotes, delimiters, line ends, blanks, other scripts. */
const cell = fc.string({
  unit: fc.constantFrom('a', 'b', '1', ' ', '"', ',', ';', '\t', '\n', '\r\n', 'é', '漢', '😀', '=', "'"),
  maxLength: 8,
})
const table = fc
  .integer({ min: 2, max: 5 })
  .chain(width => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }))

describe('records of a delimited text', () => {
  test('are what csv-parse reads from whatever csv-stringify writes', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n'),
        (rows, delimiter, end) => {
          const text = stringify(rows, { delimiter, record_delimiter: end, quoted_match: /[\r\n]/ })
          const expected = parse(text, {
            delimiter,
            record_delimiter: end,
            skip_empty_lines: true,
            relax_column_count: true,
          })
          expect(cellsOf(text, { ...comma, delimiter })).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('come back from a round trip unchanged, except lines without any character', () => {
    fc.assert(
      fc.property(table, rows => {
        const text = stringify(rows, { quoted: true })
        expect(cellsOf(text)).toEqual(rows)
      }),
    )
  })

  test('are the same however the text is cut into pieces', () => {
    fc.assert(
      fc.property(table, fc.array(fc.nat(), { maxLength: 20 }), fc.boolean(), (rows, cuts, isBroken) => {
        const columns = rows[0]?.map((_, index) => `c${index}`) ?? []
        const text = stringify(rows, { quoted_match: /[\r\n]/ }) + (isBroken ? 'x,"y\n1,2\n' : '')
        expect(splitInPieces(text, columns, cuts)).toEqual(splitInPieces(text, columns, []))
      }),
      { numRuns: 500 },
    )
  })

  test('end at \\n, \\r\\n, or \\r where a file of an old Mac has no other', () => {
    expect(cellsOf('a,b\r\n1,2\n3,4')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ])
    expect(cellsOf('a,b\r1,2\r', { ...comma, newline: '\r' })).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ])
  })

  test('take a quote inside an unquoted cell, and every quote where there is no quoting, as it stands', () => {
    expect(cellsOf('15" ruler,2\n')).toEqual([['15" ruler', '2']])
    expect(cellsOf('"a,b"\n', { ...comma, quote: '' })).toEqual([['"a', 'b"']])
  })
})

const drafts = (text: string, columns = ['a', 'b']) =>
  createDelimitedSplitter(comma, columns, columns.length).split(text, true).drafts
const summary = (text: string, columns?: string[]) =>
  drafts(text, columns).map(draft => (draft.reject ? draft.reject.reason : Object.values(draft.values).join('|')))

describe('a quote that goes wrong', () => {
  test('costs its own line when it never closes', () => {
    expect(summary('1,ok\n2,"open\n3,ok\n4,ok\n')).toEqual(['1|ok', 'unterminated_quote', '3|ok', '4|ok'])
  })

  test('costs its own line when a later quote shows that it was stray', () => {
    expect(summary('1,"open\n2,ok\n3,"fine, too"\n4,ok\n')).toEqual([
      'unterminated_quote',
      '2|ok',
      '3|fine, too',
      '4|ok',
    ])
  })

  test('costs its own line when the lines it swallowed do not make one row', () => {
    expect(summary('1,"open,x\n2,ok\n3,"",more\n4,ok\n')).toEqual(['unterminated_quote', '2|ok', 'ragged_row', '4|ok'])
  })

  test('costs its own line when text follows the closing quote', () => {
    expect(summary('1,"a"b\n2,ok\n')).toEqual(['malformed_quote', '2|ok'])
  })

  test('swallows no more lines than its limit', () => {
    const many = Array.from({ length: QUOTED_LINES_MAX + 5 }, (_, index) => `${index},x`).join('\n')
    const got = summary(`0,"open\n${many}\n9,x"\n`)
    expect(got[0]).toBe('unterminated_quote')
    expect(got).toHaveLength(QUOTED_LINES_MAX + 7)
  })

  test('holds back no more text than a cell may have before it is given up', () => {
    const splitter = createDelimitedSplitter(comma, ['a', 'b'], 2)
    const text = `1,"open\n${'2,x\n'.repeat(CELL_CHARS_MAX / 4 + 10)}`
    const { drafts: got, consumed } = splitter.split(text, false)
    expect(got[0]?.reject?.reason).toBe('unterminated_quote')
    expect(consumed).toBe(text.length)
  })

  test('leaves a quoted cell over several lines alone', () => {
    expect(drafts('1,"two\nlines"\n')[0]).toMatchObject({ values: { a: '1', b: 'two\nlines' }, raw: '1,"two\nlines"' })
  })
})

describe('a row that does not fit', () => {
  test('is ragged with too many or too few cells, and keeps its cells', () => {
    expect(summary('1\n1,2,3\n1,2\n')).toEqual(['ragged_row', 'ragged_row', '1|2'])
    expect(drafts('1,2,3\n')[0]).toMatchObject({ cells: ['1', '2', '3'] })
  })

  test('is not ragged for empty cells too many at its end', () => {
    expect(summary('1,2,,\n')).toEqual(['1|2'])
  })

  test('may leave out columns at the end that have no name', () => {
    const splitter = createDelimitedSplitter(comma, ['a', 'b', 'column 3'], 2)
    expect(splitter.split('1,2\n1,2,\n', true).drafts.map(draft => draft.reject)).toEqual([undefined, undefined])
  })

  test('is rejected for a cell longer than its limit, and the next is read', () => {
    expect(summary(`1,${'x'.repeat(CELL_CHARS_MAX + 1)}\n2,ok\n`)).toEqual(['cell_too_long', '2|ok'])
  })

  test('is passed over up to its end once it is longer than any row, keeping little of it', () => {
    const splitter = createDelimitedSplitter(comma, ['a', 'b'], 2)
    const first = splitter.split('x'.repeat(ROW_CHARS_MAX + 1), false)
    expect(first.drafts[0]?.reject?.reason).toBe('row_too_long')
    expect(first.drafts[0]?.raw.length).toBeLessThan(100_000)
    expect(splitter.phase()).toBe('skipping')
    const second = splitter.split('xxx\n2,ok\n', true)
    expect(second.drafts).toEqual([{ raw: '2,ok', values: { a: '2', b: 'ok' } }])
  })

  test('is rejected for a NUL character, and only that row', () => {
    expect(summary('1,a\0b\n2,ok\n')).toEqual(['nul_character', '2|ok'])
  })

  test('is skipped when it is blank', () => {
    expect(summary('\n1,2\r\n\r\n\n3,4\n')).toEqual(['1|2', '3|4'])
  })
})
