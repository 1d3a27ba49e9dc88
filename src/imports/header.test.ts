import { describe, expect, test } from 'vitest'
import { guessHeader, nameColumns } from './header.ts'
import { COLUMNS_MAX } from './row.ts'

describe('columns', () => {
  test('are named without the blanks around them', () => {
    expect(nameColumns(['rec_id', ' given_name', ' surname ']).columns).toEqual(['rec_id', 'given_name', 'surname'])
  })

  test('without a name are numbered, and may be missing at the end', () => {
    expect(nameColumns(['a', '', 'b', '', ' '])).toEqual({
      columns: ['a', 'column 2', 'b', 'column 4', 'column 5'],
      neededColumns: 3,
    })
  })

  test('of the same name are told apart, also from a column that is already called so', () => {
    expect(nameColumns(['E', 'E', 'E (2)', 'E', 'column 6', '']).columns).toEqual([
      'E',
      'E (3)',
      'E (2)',
      'E (4)',
      'column 6',
      'column 6 (2)',
    ])
  })

  test('cannot be called __proto__', () => {
    expect(nameColumns(['a', '__proto__']).columns).toEqual(['a', 'column 2'])
  })

  test('are refused beyond their limit', () => {
    expect(() => nameColumns(new Array<string>(COLUMNS_MAX + 1).fill('x'))).toThrow(/columns/)
  })
})

describe('a first row', () => {
  test('is a header when none of its cells is a value', () => {
    expect(
      guessHeader([
        ['id', 'date'],
        ['1', '2025-01-01'],
      ]),
    ).toBe(true)
    expect(
      guessHeader([
        ['2015 sales', 'name'],
        ['1', 'x'],
      ]),
    ).toBe(true)
    expect(guessHeader([['id', 'email']])).toBe(true)
  })

  test('is data when it holds a value where the rows below hold values', () => {
    expect(
      guessHeader([
        ['Ada', 'ada@example.com'],
        ['Grace', 'grace@example.com'],
      ]),
    ).toBe(false)
    expect(
      guessHeader([
        ['Lamp', '12.50'],
        ['Shelf', '8'],
      ]),
    ).toBe(false)
    expect(
      guessHeader([
        ['Lamp', '1-Jan-2015'],
        ['Shelf', '2-Jan-2015'],
      ]),
    ).toBe(false)
  })
})
