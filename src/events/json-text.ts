/** Bytes that should be JSON come in; a value that every store of ours can keep goes out. Pure. */
import type { Json } from '../spec/json.ts'

const decoder = new TextDecoder('utf-8', { fatal: false })

/** Escapes of NUL (PostgreSQL's jsonb refuses it) and of surrogates (half a character is no UTF-8). */
const SUSPICIOUS_ESCAPE = /\\u(?:0000|d[89a-f])/i

/**
 * Parses JSON text or bytes. Invalid UTF-8, NUL and halves of surrogate pairs become U+FFFD, the replacement character;
 * numbers beyond a double become null, as JSON has no infinity. Throws SyntaxError (or RangeError on absurd nesting).
 */
export function parseJson(input: Buffer | string): Json {
  const text = typeof input === 'string' ? input : decoder.decode(input)
  const value = JSON.parse(text) as Json
  return text.includes('\\u') && SUSPICIOUS_ESCAPE.test(text) ? replaceUnkeepable(value, 0) : value
}

/** Deeper values are refused by the parser of events anyway. */
const DEPTH_MAX = 200

function replaceUnkeepable(value: Json, depth: number): Json {
  if (typeof value === 'string') return keepable(value)
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return value
  if (Array.isArray(value)) return value.map(item => replaceUnkeepable(item, depth + 1))
  const entries = Object.entries(value).map(([key, item]) => [
    keepable(key),
    replaceUnkeepable(item as Json, depth + 1),
  ])
  return Object.fromEntries(entries) as Json
}

const keepable = (text: string) => text.toWellFormed().replaceAll('\u0000', '\uFFFD')

/**
 * JSON of any value that `parseJson` returned, to be kept with a rejection. `JSON.stringify` runs out of stack at some
 * thousand levels; what is nested that deep is written as "…" below the first two hundred.
 */
export function stringifyAny(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch {
    return JSON.stringify(cutBelow(value, DEPTH_MAX))
  }
}

function cutBelow(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return '…'
  if (Array.isArray(value)) return value.map(item => cutBelow(item, levels - 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutBelow(item, levels - 1)]))
}
