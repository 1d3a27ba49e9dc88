/** The text of one JSON row in, its draft out: the fields of an object, or why it is none. */
import { isJsonObject, type Json } from '../spec/json.ts'
import { DAMAGED } from './decode.ts'
import { breakRow, JSON_DEPTH_MAX, type RowDraft, type Values } from './row.ts'

/** Digits beyond which a whole number would lose its last ones as a JavaScript number. */
const longNumber = /\d{16}/
/** Rows whose own nesting is shown as columns `a.b.c`; deeper values stay whole. */
const COLUMN_DEPTH_MAX = 4

/** Reads one row. Whole numbers too long for a number (ids of many systems) become strings instead of other numbers. */
export function draftJsonRow(raw: string): RowDraft {
  if (raw.includes(DAMAGED)) {
    return breakRow(
      'invalid_encoding',
      'bytes that are no UTF-8 in a file that is UTF-8',
      raw.replaceAll(DAMAGED, '\uFFFD'),
    )
  }
  if (raw.includes('\0') || /\\u0000/i.test(raw)) {
    return breakRow('nul_character', 'a NUL character, which no store can keep', raw)
  }
  if (isTooDeep(raw)) return breakRow('too_deep', `nested deeper than ${JSON_DEPTH_MAX} levels`, raw)
  const value = parseExactly(raw)
  if (value === undefined) return breakRow('invalid_json', 'not valid JSON', raw)
  if (!isJsonObject(value)) return breakRow('not_an_object', 'each row must be an object with named fields', raw)
  return { raw, values: value as Values }
}

function parseExactly(raw: string): Json | undefined {
  try {
    return longNumber.test(raw) ? (JSON.parse(raw, keepLongNumbers) as Json) : (JSON.parse(raw) as Json)
  } catch {
    return undefined
  }
}

function keepLongNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? source : value
}

function isTooDeep(raw: string): boolean {
  let depth = 0
  for (let at = 0; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at)
    if (code === 34) at = endOfString(raw, at)
    else if (code === 123 || code === 91) {
      depth += 1
      if (depth > JSON_DEPTH_MAX) return true
    } else if (code === 125 || code === 93) depth -= 1
    if (at < 0) return false
  }
  return false
}

/** The place of the quote that closes the string opened at `at`, or −1 where the text ends before it. */
export function endOfString(text: string, at: number): number {
  for (let from = at + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return -1
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes += 1
    if (slashes % 2 === 0) return quote
    from = quote + 1
  }
}

/** The columns that a set of JSON rows has: paths to values, in the order of their first sight. */
export function jsonColumns(rows: Iterable<Values>): string[] {
  const columns = new Set<string>()
  for (const row of rows) collectPaths(row, '', 1, columns)
  return [...columns]
}

function collectPaths(
  values: Record<string, Json | undefined>,
  prefix: string,
  depth: number,
  into: Set<string>,
): void {
  for (const [key, value] of Object.entries(values)) {
    const isNested = isJsonObject(value) && depth < COLUMN_DEPTH_MAX && Object.keys(value).length > 0
    if (isNested) collectPaths(value, `${prefix}${key}.`, depth + 1, into)
    else into.add(prefix + key)
  }
}
