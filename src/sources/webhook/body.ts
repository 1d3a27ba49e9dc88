/**
 * Reads a delivered body: raw bytes and a content type come in, JSON goes out. JSON is tried first, then form fields,
 * whatever the content type says: vendors mislabel both. Never throws.
 */
import type { Json, JsonObject } from '../../spec/json.ts'
import { findJsonFault } from './json-fault.ts'
import { formDepthMax, formFieldsMax, locatedCharactersMax } from './limits.ts'

export type BodyFault = 'empty_body' | 'invalid_encoding' | 'invalid_json' | 'too_many_fields'

/** `line` and `column` count from 1 and are given where the fault can be placed. */
export type ReadBody =
  | { ok: true; body: Json }
  | { ok: false; reason: BodyFault; message: string; line?: number; column?: number }

/** Numbers with more digits than a JSON number keeps become texts: they are ids, and a rounded id is another's id. */
export function readWebhookBody(rawBody: Uint8Array, contentType = ''): ReadBody {
  const text = decodeUtf8(rawBody)
  if (text === undefined) return fault('invalid_encoding', 'The body is not UTF-8 text.')
  return readWebhookText(text, contentType)
}

/** The same for text, such as a pasted sample. */
export function readWebhookText(text: string, contentType = ''): ReadBody {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed === '') return fault('empty_body', 'The body is empty.')
  const read = readJson(text.replace(/^\uFEFF/, ''))
  if (read.ok || /^[[{"]/.test(trimmed)) return read
  const saysForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded')
  return saysForm || looksLikeForm(trimmed) ? readForm(trimmed) : read
}

const longNumber = /\d{16}/

function readJson(text: string): ReadBody {
  try {
    return { ok: true, body: JSON.parse(text, longNumber.test(text) ? keepLongNumbers : undefined) }
  } catch {
    return { ...fault('invalid_json', 'The body is not JSON.'), ...placeOf(text) }
  }
}

function keepLongNumbers(_name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return context?.source && /^-?\d+$/.test(context.source) ? context.source : value
}

/** Counted from 1. Not looked for in a text of megabytes, which nobody mends by hand. */
function placeOf(text: string): { line?: number; column?: number } {
  const position = text.length <= locatedCharactersMax ? findJsonFault(text) : undefined
  if (position === undefined) return {}
  const before = text.slice(0, position).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

const looksLikeForm = (text: string): boolean => /^[^\s{}[\]"<>=]+(?:\[[^\]]*\])*=/.test(text)

/**
 * Form fields as an object: `a=1&b[c]=2&d[]=3&d[]=4` is { a: "1", b: { c: "2" }, d: ["3", "4"] }, a repeated name is a
 * list. A form with the single field `payload` that holds JSON (Slack, GitHub and others) is that JSON.
 */
function readForm(text: string): ReadBody {
  const fields = [...new URLSearchParams(text)]
  if (fields.length > formFieldsMax) return fault('too_many_fields', `The form has more than ${formFieldsMax} fields.`)
  const [only] = fields
  if (fields.length === 1 && only?.[0] === 'payload' && /^\s*[[{]/.test(only[1])) return readJson(only[1])
  const body: JsonObject = {}
  for (const [name, value] of fields) putField(body, namesOf(name), value)
  return { ok: true, body }
}

/** `a[b][]` → a, b, "" (append). A name that is no such nesting, or too deep, stays whole. */
function namesOf(field: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(field)
  if (!match?.[1] || !match[2]) return [field]
  const names = [match[1], ...match[2].slice(1, -1).split('][')]
  return names.length > formDepthMax ? [field] : names
}

function putField(body: JsonObject, names: string[], value: string): void {
  if (names.includes('__proto__')) return
  let place: JsonObject = body
  const isList = names.length > 1 && names.at(-1) === ''
  const path = isList ? names.slice(0, -1) : names
  for (const name of path.slice(0, -1)) {
    const next = ownValue(place, name)
    const inner: JsonObject = typeof next === 'object' && next !== null && !Array.isArray(next) ? next : {}
    place[name] = inner
    place = inner
  }
  const last = path.at(-1) ?? ''
  const present = ownValue(place, last)
  if (Array.isArray(present)) present.push(value)
  else if (present === undefined) place[last] = isList ? [value] : value
  else place[last] = [present, value]
}

const ownValue = (place: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(place, name) ? place[name] : undefined

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const fault = (reason: BodyFault, message: string) => ({ ok: false, reason, message }) as const
