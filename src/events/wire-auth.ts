/** Where the write key stands. In: headers, query and body of a request. Out: the key of the source, if there is one. Pure. */
import type { IncomingHttpHeaders } from 'node:http'
import { isJsonObject, type Json } from '../spec/json.ts'

/** Longer texts are no keys of ours; they are not even looked up. */
const KEY_CHARACTERS_MAX = 128

/**
 * The key that a header names: `Authorization: Basic base64(key:)`, then `X-Write-Key`. Known before the body is read,
 * so that strangers cannot make the server inflate anything.
 */
export function keyInHeaders(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined && BASIC.test(authorization)) {
    const key = keyFrom(Buffer.from(authorization.slice('Basic '.length), 'base64').toString('latin1'))
    if (key !== undefined) return key
  }
  const named = headers['x-write-key']
  return keyFrom(Array.isArray(named) ? named[0] : named)
}

/** A beacon, a pixel or a webhook cannot send headers: `?writeKey=`; `?api_key=` is PostHog's name for it. */
export function keyInQuery(query: unknown): string | undefined {
  if (!isJsonObject(query)) return undefined
  return keyFrom(query.writeKey) ?? keyFrom(query.api_key)
}

/** `writeKey` as Segment, `api_key` or `token` as PostHog writes it, there also within each event or its properties. */
export function keyInBody(body: Json): string | undefined {
  const item = Array.isArray(body) ? body[0] : body
  if (!isJsonObject(item)) return undefined
  const own = keyFrom(item.writeKey) ?? keyFrom(item.api_key) ?? keyFrom(item.token)
  if (own !== undefined) return own
  return isJsonObject(item.properties) ? keyFrom(item.properties.token) : undefined
}

/** The last resort: Segment's `Bearer` is an OAuth token beside a key in the body, PostHog's newer one is the key itself. */
export function keyInBearer(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers
  return authorization !== undefined && BEARER.test(authorization)
    ? keyFrom(authorization.slice('Bearer '.length).trim())
    : undefined
}

const BASIC = /^basic /i
const BEARER = /^bearer /i

/** What follows a colon is a password (Basic) or Jitsu's secret; a write key is public, so neither is asked for. */
function keyFrom(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const end = value.indexOf(':')
  const key = end < 0 ? value : value.slice(0, end)
  return key !== '' && key.length <= KEY_CHARACTERS_MAX ? key : undefined
}
