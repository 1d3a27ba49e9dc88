/** Message ids of webhook events: what makes the event the same in every retry comes in, its id goes out. */
import { createHash } from 'node:crypto'
import { isJsonObject, type Json } from '../../spec/json.ts'

/** 144 bits: two different events sharing an id is out of the question, and the id stays far below 100 characters. */
const digestCharacters = 24

/**
 * The id from its parts, the source first: a vendor's ids are unique in the vendor's account, not in the workspace, and
 * two telephone systems both have a call 1001.
 */
export function messageIdOf(parts: readonly Json[]): string {
  return `webhook-${hashJson([...parts]).slice(0, digestCharacters)}`
}

/** SHA-256 of the JSON with its keys in order, as base64url: the same for the same content, however it was written. */
export function hashJson(value: Json): string {
  return createHash('sha256')
    .update(JSON.stringify(inKeyOrder(value)))
    .digest('base64url')
}

/** Objects as lists of pairs, so that every name keeps its place; in an object of their own, so that no list looks like one. */
function inKeyOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inKeyOrder)
  if (!isJsonObject(value)) return value
  const names = Object.keys(value).sort()
  return { pairs: names.map(name => [name, inKeyOrder(value[name] ?? null)]) }
}
