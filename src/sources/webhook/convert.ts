/** Conversions of a mapping: a value and an `as` come in, the converted value or what is wrong with it goes out. */
import { isJsonObject, type Json } from '../../spec/json.ts'
import { minorUnitPlaces } from './currency.ts'
import { add, type Decimal, parseDecimal, shift, toNumber, zero } from './decimal.ts'
import { instantOfEpoch, parseInstant } from './instant.ts'
import type { Conversion, Template } from './mapping.ts'

/** `value` undefined: nothing to say (the last of an empty list). `fault` never quotes the value: it may be personal. */
export type Converted = { value: Json | undefined } | { fault: string }

type SimpleConversion = Extract<Conversion, string>

/** Converts a value that is there. `evaluate` reads the currency, which may itself be a path. */
export function convert(
  value: Json,
  conversion: Conversion,
  evaluate: (template: Template) => Json | undefined,
): Converted {
  if (typeof conversion === 'string') return simple[conversion](value)
  if ('join' in conversion) return join(value, conversion.join)
  if ('lookup' in conversion) {
    const name = isScalar(value) ? String(value) : undefined
    if (name !== undefined && Object.hasOwn(conversion.lookup, name)) return { value: conversion.lookup[name] }
    return { value: conversion.otherwise ?? value }
  }
  const currency = evaluate(conversion.minorUnits)
  const places = typeof currency === 'string' ? minorUnitPlaces(currency, conversion.table) : undefined
  if (places === undefined) return { fault: 'has no three-letter currency beside it' }
  return numberFrom(value, amount => shift(amount, places))
}

const simple: Readonly<Record<SimpleConversion, (value: Json) => Converted>> = {
  string: value => (isScalar(value) ? { value: String(value) } : { fault: `is ${kindOf(value)}, not a text` }),
  number: value => numberFrom(value, amount => amount),
  boolean: toBoolean,
  time: value => instantFrom(typeof value === 'string' ? parseInstant(value) : undefined, value),
  epoch: value => {
    const amount = parseDecimal(value)
    const epoch = amount && toNumber(amount)
    return instantFrom(epoch === undefined ? undefined : instantOfEpoch(epoch), value)
  },
  trim: onText(text => text.trim()),
  lowerCase: onText(text => text.toLowerCase()),
  upperCase: onText(text => text.toUpperCase()),
  first: value => ({ value: Array.isArray(value) ? value[0] : value }),
  last: value => ({ value: Array.isArray(value) ? value.at(-1) : value }),
  count: value => ({ value: Array.isArray(value) ? value.length : 1 }),
  sum,
}

function numberFrom(value: Json, change: (amount: Decimal) => Decimal): Converted {
  const amount = parseDecimal(value)
  if (!amount) return { fault: `is ${kindOf(value)} that is no number` }
  return numberFromDecimal(change(amount))
}

function sum(value: Json): Converted {
  let total = zero
  for (const part of Array.isArray(value) ? value : [value]) {
    const amount = parseDecimal(part)
    if (!amount) return { fault: `holds ${kindOf(part)} that is no number` }
    total = add(total, amount)
  }
  return numberFromDecimal(total)
}

/** An exact result as a JSON number. */
export function numberFromDecimal(amount: Decimal): Converted {
  const number = toNumber(amount)
  return number === undefined ? { fault: 'has more digits than a JSON number keeps' } : { value: number }
}

function toBoolean(value: Json): Converted {
  const text = isScalar(value) ? String(value).trim().toLowerCase() : ''
  if (['true', '1', 'yes'].includes(text)) return { value: true }
  if (['false', '0', 'no'].includes(text)) return { value: false }
  return { fault: `is ${kindOf(value)} that is neither true nor false` }
}

function join(value: Json, separator: string): Converted {
  const parts = Array.isArray(value) ? value : [value]
  if (!parts.every(isScalar)) return { fault: 'holds lists or objects, which cannot be joined' }
  return {
    value: parts
      .filter(part => part !== null && part !== '')
      .map(String)
      .join(separator),
  }
}

function onText(change: (text: string) => string): (value: Json) => Converted {
  return value => (typeof value === 'string' ? { value: change(value) } : { fault: `is ${kindOf(value)}, not a text` })
}

function instantFrom(instant: string | undefined, value: Json): Converted {
  return instant === undefined ? { fault: `is ${kindOf(value)} that is no point in time` } : { value: instant }
}

const isScalar = (value: Json): value is string | number | boolean | null => value === null || typeof value !== 'object'

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'a list'
  if (isJsonObject(value)) return 'an object'
  return value === null ? 'null' : `a ${typeof value === 'string' ? 'text' : typeof value}`
}
