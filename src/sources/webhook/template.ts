/**
 * Templates of a mapping: a template and what it can see come in, the value it stands for goes out, with faults noted
 * beside it. Never throws; work is bounded over the entire delivery.
 */
import type { Json, JsonObject } from '../../spec/json.ts'
import { conditionHolds, type Work } from './condition.ts'
import { type Converted, convert, numberFromDecimal } from './convert.ts'
import { parseDecimal, subtract } from './decimal.ts'
import { charactersPerWork, copyDepthMax, elementsMax, faultsMax, nameCharactersMax } from './limits.ts'
import {
  type CollectExpression,
  type DifferenceExpression,
  type Expression,
  isExpression,
  type Template,
} from './mapping.ts'
import { parsePath, readElements, readPath, type Scope } from './path.ts'

/** What is wrong with one value: where in the rule, at which path of the delivery, and why. */
export interface ValueFault {
  /** Place in the rule, such as `event.properties.total`. */
  at: string
  /** Path in the delivery, such as `$.data.object.amount`. */
  path?: string
  message: string
}

/** One reading of a template: what it sees, and what it has cost and found wrong so far. */
export interface Reading {
  scope: Scope
  faults: ValueFault[]
  /** What may still be done for this delivery, over all its events; at 0 every value is missing. */
  work: Work
}

/** The template's value; undefined where there is none. Faults are added to the reading. */
export function evaluate(template: Template, reading: Reading, at: string): Json | undefined {
  if (reading.work.left <= 0) return undefined
  reading.work.left--
  if (template === null || typeof template !== 'object') return template ?? undefined
  if (Array.isArray(template)) {
    return template.flatMap((part, index) => {
      const value = evaluate(part, reading, `${at}[${index}]`)
      return isNothing(value) ? [] : [value]
    })
  }
  return isExpression(template) ? evaluateExpression(template, reading, at) : evaluateObject(template, reading, at)
}

/** The object's values by name, those without a value left out; undefined if none is left. */
export function evaluateObject(
  template: { [name: string]: Template },
  reading: Reading,
  at: string,
): JsonObject | undefined {
  const result: JsonObject = {}
  for (const [name, part] of Object.entries(template)) {
    const value = evaluate(part, reading, `${at}.${name}`)
    if (!isNothing(value)) result[name] = value
  }
  return Object.keys(result).length > 0 ? result : undefined
}

/** Null, "", [] and what is missing count as no value: vendors send all four for "not given". */
export function isNothing(value: Json | undefined): value is undefined | null | '' {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function evaluateExpression(expression: Expression, reading: Reading, at: string): Json | undefined {
  if (expression.when && !conditionHolds(expression.when, reading.scope, reading.work)) return undefined
  if ('constant' in expression) return copied(expression.constant, reading, at)

  const faultsBefore = reading.faults.length
  let value = rawValue(expression, reading, at)
  for (const conversion of listOf(expression.as)) {
    if (isNothing(value)) break
    const converted = convert(value as Json, conversion, part => evaluate(part, reading, `${at}.as`))
    value = accept(converted, reading, at, expression)
  }
  // A default stands in for what is missing, never for what is wrong.
  const isMissing = isNothing(value) && reading.faults.length === faultsBefore
  return isMissing ? copied(expression.default, reading, at) : value
}

function rawValue(expression: Exclude<Expression, { constant: Json }>, reading: Reading, at: string): Json | undefined {
  if ('path' in expression) {
    const parsed = parsePath(expression.path)
    return parsed.ok ? copied(readPath(parsed.path, reading.scope), reading, at, expression.path) : undefined
  }
  if ('collect' in expression) return collect(expression, reading, at)
  if ('difference' in expression) return difference(expression, reading, at)
  for (const [index, part] of expression.firstOf.entries()) {
    const value = evaluate(part, reading, `${at}.firstOf[${index}]`)
    if (!isNothing(value)) return value
  }
  return undefined
}

function collect(expression: CollectExpression, reading: Reading, at: string): Json | undefined {
  const parsed = parsePath(expression.collect)
  if (!parsed.ok) return undefined
  const { elements, cut } = readElements(parsed.path, reading.scope)
  if (cut) addFault(reading, { at, path: expression.collect, message: `lists more than ${elementsMax} elements` })

  const keyPath = expression.key === undefined ? undefined : parsePath(expression.key)
  const list: Json[] = []
  const byKey: JsonObject = {}
  for (const { item, parent } of elements) {
    if (--reading.work.left <= 0) break
    const scope = { ...reading.scope, item, parent }
    if (expression.where && !conditionHolds(expression.where, scope, reading.work)) continue
    const value = evaluate(expression.item ?? { path: '@' }, { ...reading, scope }, `${at}.item`)
    if (isNothing(value)) continue
    if (!keyPath?.ok) list.push(value)
    else {
      const key = readPath(keyPath.path, scope)
      const name = typeof key === 'object' || key === undefined ? '' : keepable(String(key).slice(0, nameCharactersMax))
      if (name !== '' && name !== '__proto__') byKey[name] = value
    }
  }
  return keyPath ? (Object.keys(byKey).length > 0 ? byKey : undefined) : list
}

/** The first less all others; nothing if there is no first, and what is missing among the others takes nothing away. */
function difference(expression: DifferenceExpression, reading: Reading, at: string): Json | undefined {
  const values = expression.difference.map((part, index) => evaluate(part, reading, `${at}.difference[${index}]`))
  if (isNothing(values[0])) return undefined
  const amounts = values.map(value => (isNothing(value) ? parseDecimal(0) : parseDecimal(value)))
  const [first, ...others] = amounts
  if (!first || others.includes(undefined)) {
    addFault(reading, { at, message: 'subtracts something that is no number' })
    return undefined
  }
  const result = others.reduce<typeof first>((left, right) => (right ? subtract(left, right) : left), first)
  return accept(numberFromDecimal(result), reading, at)
}

function accept(converted: Converted, reading: Reading, at: string, expression?: Expression): Json | undefined {
  if ('value' in converted) return converted.value
  addFault(reading, {
    at,
    path: expression && 'path' in expression ? expression.path : undefined,
    message: converted.fault,
  })
  return undefined
}

function addFault(reading: Reading, fault: ValueFault): void {
  if (reading.faults.length < faultsMax) reading.faults.push(fault)
}

function copied(value: Json | undefined, reading: Reading, at: string, path?: string): Json | undefined {
  if (value === undefined) return undefined
  const copy = copyJson(value, copyDepthMax, reading.work)
  if (copy === undefined && reading.work.left > 0) {
    addFault(reading, { at, path, message: `is nested deeper than ${copyDepthMax} levels` })
  }
  return copy
}

/**
 * A copy without `__proto__`, which cannot be assigned like other names; undefined if nested deeper than `levels` or if
 * the work is used up. Its size counts as work: one large value copied into a thousand events would fill the memory.
 */
function copyJson(value: Json, levels: number, work: Work): Json | undefined {
  work.left -= 1 + (typeof value === 'string' ? Math.floor(value.length / charactersPerWork) : 0)
  if (levels === 0 || work.left <= 0) return undefined
  if (typeof value === 'string') return keepable(value)
  // JSON can write 1e999, but has no word for what a number makes of it.
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) {
    const list: Json[] = []
    for (const part of value) {
      const copy = copyJson(part, levels - 1, work)
      if (copy === undefined) return undefined
      list.push(copy)
    }
    return list
  }
  const result: JsonObject = {}
  for (const [name, part] of Object.entries(value)) {
    if (name === '__proto__' || part === undefined) continue
    const copy = copyJson(part, levels - 1, work)
    if (copy === undefined) return undefined
    result[keepable(name)] = copy
  }
  return result
}

/** PostgreSQL's jsonb refuses NUL, and half a surrogate pair is no UTF-8: both become the replacement character. */
const keepable = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\uFFFD')

const listOf = <T>(value: T | T[] | undefined): T[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value]
