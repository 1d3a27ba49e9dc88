import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { add, multiply, parseDecimal, toNumber } from './decimal.ts'

const english = { decimal: '.', thousands: ',' } as const
const german = { decimal: ',', thousands: '.' } as const

describe('an amount', () => {
  test.each([
    ['1234.50', english, '1234.5'],
    ['1,234,567.80', english, '1234567.8'],
    ['12,34,567', english, '1234567'],
    ['1.249,00', german, '1249'],
    ['-0,05', german, '-0.05'],
    ['(1,234.00)', english, '-1234'],
    ['12.50-', english, '-12.5'],
    ['−3', english, '-3'],
    ['+7', english, '7'],
    ['.5', english, '0.5'],
    ['5.', english, '5'],
    ['-0', english, '0'],
    ['0010.10', english, '10.1'],
    ['1\u00A0234,5', { decimal: ',', thousands: ' ' }, '1234.5'],
    ["1'234.5", { decimal: '.', thousands: "'" }, '1234.5'],
  ] as const)('%s is read', (text, style, expected) => {
    expect(parseDecimal(text, style)).toBe(expected)
  })

  test.each([
    ['1,2', english],
    ['1,23', english],
    ['1,2345', english],
    ['1,234', { decimal: '.', thousands: '' }],
    ['1.2.3', english],
    ['1e5', english],
    ['0x10', english],
    ['', english],
    ['-', english],
    ['12 34', english],
    ['NaN', english],
  ] as const)('%s is refused', (text, style) => {
    expect(parseDecimal(text, style)).toBeUndefined()
  })

  test('written in any style reads as what it is', () => {
    const digits = fc.tuple(fc.integer({ min: -99_999_999, max: 99_999_999 }), fc.integer({ min: 0, max: 99 }))
    fc.assert(
      fc.property(digits, fc.constantFrom(english, german), ([whole, cents], style) => {
        const grouped = String(Math.abs(whole)).replace(/\B(?=(\d{3})+$)/g, style.thousands)
        const text = `${whole < 0 ? '-' : ''}${grouped}${style.decimal}${String(cents).padStart(2, '0')}`
        const expected = (Math.abs(whole) * 100 + cents) * (whole < 0 ? -1 : 1)
        expect(Number(parseDecimal(text, style)) * 100).toBeCloseTo(expected, 3)
      }),
    )
  })

  test('becomes a number only where the number says the same', () => {
    expect(toNumber('0.1')).toBe(0.1)
    expect(toNumber('999999999999999')).toBe(999_999_999_999_999)
    expect(toNumber('1234567890.123456')).toBeUndefined()
    expect(toNumber('0.00000000000000012')).toBe(1.2e-16)
  })

  test('multiplies and adds without binary fractions', () => {
    expect(multiply('0.1', '3')).toBe('0.3')
    expect(multiply('-2.55', '12')).toBe('-30.6')
    expect(add('0.1', '0.2')).toBe('0.3')
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.bigInt(-(10n ** 12n), 10n ** 12n), (a, b) => {
        expect(multiply(`${a}`, `${b}`)).toBe(`${a * b}`)
        expect(add(`${a}`, `${b}`)).toBe(`${a + b}`)
      }),
    )
  })
})
