import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatOf, guessLayout } from './layout.ts'

const layoutOf = (text: string, isWhole = true, said = {}) => guessLayout(text, isWhole, said).layout
const kindOf = (text: string, isWhole = true) => {
  const layout = layoutOf(text, isWhole)
  return layout.kind === 'items' ? layout.shape : layout.kind
}

describe('the format of a text', () => {
  test.each([
    ['delimited', 'id,name\n1,Ada\n'],
    ['delimited', '{not json},x\n1,2\n'],
    ['delimited', '[id],name\n1,Ada\n'],
    ['lines', '{"a":1}\n{"a":2}\n'],
    ['lines', '{"a":1}'],
    ['lines', '{"a":[1,2]}\n{"a":[{"b":1}]}\n'],
    ['array', '[{"a":1}]'],
    ['array', '[\n  {"a":1}\n]'],
    ['array', '["a","b"]'],
    ['object', '{"data":[{"a":1}]}'],
    ['object', '{\n "meta": {"n": 1},\n "data": [\n  {"a":1}\n ]\n}'],
    ['sequence', '{\n "a": 1\n}\n{\n "a": 2\n}'],
    ['sequence', '{\n "a": 1\n}'],
  ])('is %s for %s', (kind, text) => {
    expect(kindOf(text)).toBe(kind)
  })

  test('is an object around its rows also where the sample ends inside them', () => {
    expect(kindOf('{"meta":{"n":1},"data":[{"a":1},{"a":', false)).toBe('object')
  })

  test('is what the mapping says', () => {
    expect(formatOf(layoutOf('{"a":1},x', true, { type: 'csv' }))).toBe('csv')
    expect(layoutOf('{"a":[{"x":1}],"b":[{"y":1}]}', true, { list: 'b' })).toMatchObject({ shape: 'object', list: 'b' })
  })

  test('of nothing is refused', () => {
    expect(() => layoutOf(' \n\n')).toThrow(/empty/)
  })
})

describe('the delimiter', () => {
  test.each([',', ';', '\t', '|'])('%s is found whatever the cells hold', delimiter => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', '1', '.', ',', ';', ' ', '|', '"', '\n'),
      minLength: 1,
      maxLength: 8,
    })
    const rows = fc.array(fc.tuple(fc.integer(), word, fc.double({ noNaN: true, min: 0, max: 9 }), word), {
      minLength: 3,
      maxLength: 20,
    })
    fc.assert(
      fc.property(rows, some => {
        const text = stringify([['id', 'name', 'price', 'note'], ...some], { delimiter, quoted_string: true })
        expect(layoutOf(text)).toMatchObject({ delimiter })
      }),
    )
  })

  test('is not the decimal comma of a file with semicolons', () => {
    expect(layoutOf('a;b;c\n1,5;2,25;3,0\n1,5;2,25;3,0\n')).toMatchObject({ delimiter: ';', columns: ['a', 'b', 'c'] })
  })

  test('is told where the mapping says so, and the file is a TSV then only with tabs', () => {
    expect(layoutOf('a^b\n1^2\n', true, { delimiter: '^' })).toMatchObject({ delimiter: '^', columns: ['a', 'b'] })
    expect(formatOf(layoutOf('a\tb\n1\t2\n'))).toBe('tsv')
  })
})

describe('columns', () => {
  test('of a JSON file are the paths to its values, in the order of their first sight', () => {
    expect(
      layoutOf('[{"id":1,"address":{"city":"Lund"}},{"tags":["a"],"address":{"zip":"1","geo":{}}}]').columns,
    ).toEqual(['id', 'address.city', 'tags', 'address.zip', 'address.geo'])
  })

  test('without a header are numbered, or called as the mapping says', () => {
    expect(layoutOf('Ada,ada@example.com\nGrace,grace@example.com\n').columns).toEqual(['column 1', 'column 2'])
    expect(layoutOf('1,2\n3,4\n', true, { columns: ['a', 'b'] })).toMatchObject({ columns: ['a', 'b'], header: false })
  })

  test('cannot be read from a header with a quote that does not close', () => {
    expect(() => layoutOf('"id,name\n1,Ada\n')).toThrow(/first row/)
  })
})
