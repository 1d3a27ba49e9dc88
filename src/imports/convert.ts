/** One value of a row and what the mapping says about it in, a typed value out, or the reason why there is none. */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js'
import type { Json } from '../spec/json.ts'
import { compileDateFormat, type DateReader, toInstant, toIsoDate } from './dates.ts'
import { type Decimal, multiply, type NumberStyle, parseDecimal, toNumber } from './decimal.ts'
import type { Mapping, TypedField, ValueType } from './mapping.ts'

/** Why a value cannot be read as its type. */
export const valueReasons = [
  'invalid_number',
  'invalid_integer',
  'invalid_boolean',
  'invalid_date',
  'ambiguous_date',
  'invalid_money',
  'invalid_email',
  'invalid_phone',
  'invalid_json',
] as const
export type ValueReason = (typeof valueReasons)[number]

/** A value that cannot be read. The detail names no value. */
export class ValueFault {
  readonly reason: ValueReason
  readonly detail: string
  constructor(reason: ValueReason, detail: string) {
    this.reason = reason
    this.detail = detail
  }
}

/** Reads a text, blanks around it gone and never empty. `factor` is the text of the column to multiply by. */
export type TextReader = (text: string, factor: string) => Json | ValueFault

export type Defaults = NonNullable<Mapping['defaults']>

/** Texts remembered per date column: a file holds few different dates, and each costs microseconds to read. */
const DATES_KEPT_MAX = 10_000
const PHONES_KEPT_MAX = 10_000

const trueTexts = ['yes', 'y', 'true', 't', '1', 'on', 'x']
const falseTexts = ['no', 'n', 'false', 'f', '0', 'off']
/** Longest text that can be a number, an amount or a date; beyond it nothing is looked at. */
const VALUE_CHARS_MAX = 100
const emailShape = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].]+)+$/
const EMAIL_CHARS_MAX = 254

const currencySigns: { [sign: string]: string } = {
  '€': 'EUR',
  '£': 'GBP',
  '₹': 'INR',
  '₩': 'KRW',
  '₽': 'RUB',
  '₺': 'TRY',
}
const moneySign = /^([+\-−(]?)\s*(\p{Sc}|[A-Z]{3})?\s*(.*?)\s*(\p{Sc}|[A-Z]{3})?(\)?)$/u

export const numberStyleOf = (
  field: { decimal?: '.' | ','; thousands?: NumberStyle['thousands'] },
  defaults: Defaults,
): NumberStyle => ({
  decimal: field.decimal ?? defaults.decimal ?? '.',
  thousands: field.thousands ?? defaults.thousands ?? '',
})

/** Makes the reader of one field. */
export function compileReader(field: TypedField, defaults: Defaults): TextReader {
  switch (field.type) {
    case 'string':
      return stringReader(field.values)
    case 'number':
      return decimalReader(numberStyleOf(field, defaults), field.times, 'invalid_number')
    case 'integer':
      return integerReader(numberStyleOf(field, defaults))
    case 'money':
      return decimalReader(numberStyleOf(field, defaults), field.times, 'invalid_money')
    case 'boolean':
      return booleanReader(field.true ?? trueTexts, field.false ?? falseTexts)
    case 'date':
      return dateReader(field.format, parts => toIsoDate(parts))
    case 'datetime':
      return instantReader(field.format, field.zone ?? defaults.zone)
    case 'email':
      return text =>
        text.length <= EMAIL_CHARS_MAX && emailShape.test(text)
          ? text
          : new ValueFault('invalid_email', 'not an e-mail address')
    case 'phone':
      return phoneReader(field.country ?? defaults.country)
    case 'json':
      return readJson
    case 'list':
      return listReader(field.separator ?? ',')
  }
}

function stringReader(values: Record<string, Json> | undefined): TextReader {
  if (!values) return text => text
  return text => (Object.hasOwn(values, text) ? (values[text] ?? text) : text)
}

function decimalReader(
  style: NumberStyle,
  times: string | undefined,
  reason: 'invalid_number' | 'invalid_money',
): TextReader {
  const isMoney = reason === 'invalid_money'
  const parse = (text: string) => parseDecimal(isMoney ? splitMoney(text).amount : text, style)
  return (text, factor) => {
    const amount = parse(text)
    if (amount === undefined)
      return new ValueFault(reason, `not ${isMoney ? 'an amount' : 'a number'} with "${style.decimal}" as decimal mark`)
    const multiplier = times === undefined ? undefined : parseDecimal(factor, style)
    if (times !== undefined && multiplier === undefined)
      return new ValueFault(reason, `column ${times} to multiply by is not a number`)
    return exact(multiplier === undefined ? amount : multiply(amount, multiplier), reason)
  }
}

const exact = (value: Decimal, reason: ValueReason): Json | ValueFault =>
  toNumber(value) ?? new ValueFault(reason, 'more digits than a number keeps; map it as a string')

/** An amount and the currency that stands with it, if one does. `$` alone names none: twenty countries use it. */
export function splitMoney(text: string): { amount: string; currency: string | undefined } {
  if (text.length > VALUE_CHARS_MAX) return { amount: text, currency: undefined }
  const [, sign = '', before, amount = text, after, bracket = ''] = moneySign.exec(text) ?? []
  const mark = before ?? after
  return {
    amount: sign + amount + bracket,
    currency: mark === undefined ? undefined : (currencySigns[mark] ?? (/^[A-Z]{3}$/.test(mark) ? mark : undefined)),
  }
}

function integerReader(style: NumberStyle): TextReader {
  return text => {
    const value = parseDecimal(text, style)
    if (value === undefined || value.includes('.')) return new ValueFault('invalid_integer', 'not a whole number')
    return exact(value, 'invalid_integer')
  }
}

function booleanReader(yes: string[], no: string[]): TextReader {
  const meanings = new Map<string, boolean>()
  for (const text of no) meanings.set(text.toLowerCase(), false)
  for (const text of yes) meanings.set(text.toLowerCase(), true)
  return text => meanings.get(text.toLowerCase()) ?? new ValueFault('invalid_boolean', 'neither a yes nor a no')
}

type Written = NonNullable<ReturnType<DateReader>>

function dateReader(format: string | string[] | undefined, write: (parts: Written) => string): TextReader {
  const formats = format === undefined ? ['iso'] : [format].flat()
  const readers = formats.map(compileDateFormat)
  const known = new Map<string, string | ValueFault>()
  const read = (text: string): string | ValueFault => {
    if (text.length > VALUE_CHARS_MAX) return new ValueFault('invalid_date', 'too long for a date')
    let found: string | undefined
    for (const reader of readers) {
      const parts = reader(text)
      if (!parts) continue
      const written = write(parts)
      if (found !== undefined && found !== written) {
        return new ValueFault('ambiguous_date', `means different days in ${formats.join(' and ')}`)
      }
      found = written
    }
    return found ?? new ValueFault('invalid_date', `not a date in ${formats.join(' or ')}`)
  }
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size >= DATES_KEPT_MAX) known.clear()
    const value = read(text)
    known.set(text, value)
    return value
  }
}

/** Reads an instant, as ISO text in UTC with milliseconds. */
export const instantReader = (format: string | string[] | undefined, zone: string | undefined): TextReader =>
  dateReader(format, parts => toInstant(parts, zone ?? 'UTC'))

function phoneReader(country: string | undefined): TextReader {
  const known = new Map<string, string | ValueFault>()
  const code = country?.toUpperCase() as CountryCode | undefined
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size >= PHONES_KEPT_MAX) known.clear()
    const phone = parsePhoneNumberFromString(text, code)
    const value = phone?.isValid()
      ? phone.number
      : new ValueFault(
          'invalid_phone',
          code ? `not a phone number of ${code} or with +` : 'not a phone number with + and country',
        )
    known.set(text, value)
    return value
  }
}

const readJson: TextReader = text => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return new ValueFault('invalid_json', 'not valid JSON')
  }
}

const listReader = (separator: string): TextReader => {
  return text =>
    text
      .split(separator)
      .map(item => item.trim())
      .filter(item => item !== '')
}

/** Values of JSON and Parquet that already have their type need no reading. */
export function isAlready(type: ValueType, value: Json): boolean {
  if (type === 'number' || type === 'money') return typeof value === 'number'
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value)
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'list') return Array.isArray(value)
  return type === 'json' && typeof value !== 'string'
}
