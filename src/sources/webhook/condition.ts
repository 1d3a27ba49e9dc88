/** Conditions of a mapping: a condition and what it can see come in, whether it holds goes out. Never throws. */
import type { Json } from '../../spec/json.ts'
import { parseDecimal, subtract } from './decimal.ts'
import type { Condition, Scalar } from './mapping.ts'
import { parsePath, readPath, type Scope } from './path.ts'

/** What may still be done for a delivery. Counted down by everything that grows with its size. */
export interface Work {
  left: number
}

/**
 * Values are compared as text, since form-encoded bodies know no other type: `1` equals `"1"`, `true` equals `"true"`.
 * Null equals null and what is missing (but two missing paths are not equal); lists and objects equal nothing.
 */
export function conditionHolds(condition: Condition, scope: Scope, work: Work): boolean {
  if (--work.left <= 0) return false
  if ('all' in condition) return condition.all.every(part => conditionHolds(part, scope, work))
  if ('any' in condition) return condition.any.some(part => conditionHolds(part, scope, work))
  if ('not' in condition) return !conditionHolds(condition.not, scope, work)

  const found = valueAt(condition.path, scope)
  if ('exists' in condition) return condition.exists === (found !== undefined && found !== null && found !== '')
  if ('greaterThan' in condition) return isGreater(found, condition.greaterThan)

  const text = textOf(found, condition.ignoreCase)
  if ('startsWith' in condition) {
    return typeof text === 'string' && text.startsWith(folded(condition.startsWith, condition.ignoreCase))
  }
  if ('in' in condition) return condition.in.some(wanted => text === textOf(wanted, condition.ignoreCase))
  const { equals } = condition
  if (typeof equals !== 'object' || equals === null) return text === textOf(equals, condition.ignoreCase)
  return typeof text === 'string' && text === textOf(valueAt(equals.path, scope), condition.ignoreCase)
}

function valueAt(path: string, scope: Scope): Json | undefined {
  const parsed = parsePath(path)
  return parsed.ok ? readPath(parsed.path, scope) : undefined
}

/** A scalar as text, null for what is missing, undefined for a list or object. */
function textOf(value: Json | Scalar | undefined, ignoreCase: boolean | undefined): string | null | undefined {
  if (value === null || value === undefined) return null
  return typeof value === 'object' ? undefined : folded(String(value), ignoreCase)
}

const folded = (text: string, ignoreCase: boolean | undefined): string => (ignoreCase ? text.toLowerCase() : text)

function isGreater(found: Json | undefined, limit: number): boolean {
  const [value, bound] = [parseDecimal(found), parseDecimal(limit)]
  return value !== undefined && bound !== undefined && subtract(value, bound).units > 0n
}
