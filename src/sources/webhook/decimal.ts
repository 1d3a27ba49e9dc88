/**
 * Exact decimal amounts: JSON numbers and numeric strings come in, whole units at a scale go through, a JSON number goes
 * out. Sums and differences of money never pass through binary fractions, where 0.1 + 0.2 is not 0.3.
 */
import { exactDigitsMax } from './limits.ts'

/** `units` / 10^`scale`: 19.99 is { units: 1999n, scale: 2 }. */
export interface Decimal {
  units: bigint
  scale: number
}

export const zero: Decimal = { units: 0n, scale: 0 }

const decimalPattern = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?(?:e([+-]?\d{1,2}))?$/i

/** Reads a finite number or a plain numeric string ("19.99"); undefined for all else ("19,99", "1 000", "abc"). */
export function parseDecimal(value: unknown): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const match = decimalPattern.exec(String(value).trim())
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const units = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const scale = fraction.length - Number(exponent)
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { units: atScale(a, scale) + atScale(b, scale), scale }
}

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, { units: -b.units, scale: b.scale })

/** Moves the point left by `places`: 1999 minor units with two places are 19.99. */
export const shift = (value: Decimal, places: number): Decimal => ({ units: value.units, scale: value.scale + places })

/** The nearest JSON number; undefined where it has more significant digits than a JSON number keeps. */
export function toNumber(value: Decimal): number | undefined {
  const digits = (value.units < 0n ? -value.units : value.units).toString()
  const significant = value.scale > 0 ? digits.replace(/0+$/, '') : digits
  if (significant.length > exactDigitsMax) return undefined
  return Number(`${value.units}e${-value.scale}`)
}

const atScale = (value: Decimal, scale: number): bigint => value.units * 10n ** BigInt(scale - value.scale)
