/** Amounts as people write them in, exact decimals out: digits are never passed through a binary fraction. */

/** Decimals as text: `-?digits(.digits)?`, no leading zeros, no trailing ones, never `-0`. */
export type Decimal = string

export interface NumberStyle {
  decimal: '.' | ','
  /** Between groups of digits; empty: none are allowed. A blank also stands for the narrow and unbreakable ones. */
  thousands: '' | ',' | '.' | ' ' | "'"
}

/** Significant digits that a JavaScript number always gives back unchanged. */
export const EXACT_DIGITS = 15

/** Longer texts are no numbers that anybody wrote. */
const NUMBER_CHARS_MAX = 100

const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)$/
const blanks = /[\u00A0\u202F\u2009]/g

/**
 * Reads a number. A sign may stand in front or, as some ledgers print it, behind; brackets mean minus. Groups of
 * thousands must be groups of three (or two and a last three, as in India), or "1,2" would pass for twelve.
 */
export function parseDecimal(text: string, style: NumberStyle): Decimal | undefined {
  if (text.length > NUMBER_CHARS_MAX) return undefined
  if (style.decimal === '.' && plain.test(text)) return canonical(text)
  let rest = text.replace(blanks, ' ').trim()
  let isNegative = false
  if (rest.startsWith('(') && rest.endsWith(')')) {
    isNegative = true
    rest = rest.slice(1, -1).trim()
  } else if (/^[^+-].*[-−]$/.test(rest)) {
    isNegative = true
    rest = rest.slice(0, -1).trim()
  }
  if (rest.startsWith('−')) rest = `-${rest.slice(1)}`
  const number = ungroup(rest, style)
  if (number === undefined || !plain.test(number)) return undefined
  return canonical(isNegative ? `-${number}` : number)
}

function ungroup(text: string, { decimal, thousands }: NumberStyle): string | undefined {
  const [whole = '', fraction, ...more] = text.split(decimal)
  if (more.length > 0) return undefined
  if (thousands === '' || !whole.includes(thousands)) return fraction === undefined ? whole : `${whole}.${fraction}`
  const groups = whole.replace(/^[+-]/, '').split(thousands)
  const isGrouped = groups.every((group, index) => {
    if (index === 0) return /^\d{1,3}$/.test(group)
    return index === groups.length - 1 ? /^\d{3}$/.test(group) : /^\d{2,3}$/.test(group)
  })
  if (!isGrouped) return undefined
  const sign = /^[+-]/.exec(whole)?.[0] ?? ''
  return sign + groups.join('') + (fraction === undefined ? '' : `.${fraction}`)
}

/** What most files hold: already as it should be. */
const tidy = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/

function canonical(text: string): Decimal {
  if (tidy.test(text)) return text
  const isNegative = text.startsWith('-')
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.')
  const left = whole.replace(/^0+/, '') || '0'
  const right = fraction.replace(/0+$/, '')
  const value = right === '' ? left : `${left}.${right}`
  return isNegative && value !== '0' ? `-${value}` : value
}

/** The number, where it says exactly what the decimal says. */
export function toNumber(value: Decimal): number | undefined {
  if (value.length <= EXACT_DIGITS) return Number(value)
  const digits = value.replace(/[-.]/g, '').replace(/^0+/, '')
  return digits.length <= EXACT_DIGITS ? Number(value) : undefined
}

/** a × b, exactly. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  const left = scaled(a)
  const right = scaled(b)
  return unscale(left.digits * right.digits, left.scale + right.scale)
}

/** a + b, exactly. */
export function add(a: Decimal, b: Decimal): Decimal {
  const left = scaled(a)
  const right = scaled(b)
  const scale = Math.max(left.scale, right.scale)
  return unscale(
    left.digits * 10n ** BigInt(scale - left.scale) + right.digits * 10n ** BigInt(scale - right.scale),
    scale,
  )
}

function scaled(value: Decimal): { digits: bigint; scale: number } {
  const [whole = '0', fraction = ''] = value.split('.')
  return { digits: BigInt(whole + fraction), scale: fraction.length }
}

function unscale(digits: bigint, scale: number): Decimal {
  const isNegative = digits < 0n
  const text = (isNegative ? -digits : digits).toString().padStart(scale + 1, '0')
  const value = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
  return canonical(isNegative ? `-${value}` : value)
}
