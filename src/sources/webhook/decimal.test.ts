import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { minorUnitPlaces } from './currency.ts'
import { add, parseDecimal, shift, subtract, toNumber, zero } from './decimal.ts'

const read = (value: unknown) => {
  const decimal = parseDecimal(value)
  if (!decimal) throw new Error('no decimal')
  return decimal
}

describe('a decimal', () => {
  test.each([
    ['19.99', 19.99],
    [' -0.05 ', -0.05],
    ['+7', 7],
    [1e21, undefined],
    ['1e3', 1000],
    [1e-7, 1e-7],
    [0.1, 0.1],
    ['0.10', 0.1],
    ['123456789012345', 123456789012345],
    ['1234567890123456', undefined],
    ['1234567890.123400000000', 1234567890.1234],
  ])('%s is read as %s', (text, number) => expect(toNumber(read(text))).toBe(number))

  test.each(['', 'abc', '1,5', '1 000', '1.2.3', '0x10', 'Infinity', '--1', '1e400', `1${'0'.repeat(31)}`])(
    '"%s" is none',
    text => expect(parseDecimal(text)).toBeUndefined(),
  )

  test.each([null, undefined, true, [1], { n: 1 }, Number.NaN])('%s is none', value =>
    expect(parseDecimal(value)).toBeUndefined(),
  )

  test('0.1 + 0.2 is 0.3', () => expect(toNumber(add(read('0.1'), read('0.2')))).toBe(0.3))

  test('sums and differences of cents are exact, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), { maxLength: 50 }), cents => {
        const total = cents.map(cent => shift(read(cent), 2)).reduce(add, zero)
        const back = [...cents]
          .reverse()
          .map(cent => shift(read(cent), 2))
          .reduce(subtract, total)
        expect(toNumber(total)).toBe(cents.reduce((sum, cent) => sum + cent, 0) / 100)
        expect(toNumber(back)).toBe(0)
      }),
    )
  })
})

describe('minor units', () => {
  test.each([
    ['usd', 'iso4217', 2],
    ['JPY', 'iso4217', 0],
    ['kwd', 'iso4217', 3],
    ['CLF', 'iso4217', 4],
    ['ISK', 'iso4217', 0],
    ['isk', 'stripe', 2],
    ['ugx', 'stripe', 2],
    ['mga', 'stripe', 0],
    ['MGA', 'iso4217', 2],
    ['krw', 'stripe', 0],
    ['bhd', 'stripe', 3],
  ] as const)('%s has in %s %i places', (code, table, places) => expect(minorUnitPlaces(code, table)).toBe(places))

  test.each(['', 'US', 'DOLLAR', '12$'])('"%s" is no currency', code => expect(minorUnitPlaces(code)).toBeUndefined())
})
