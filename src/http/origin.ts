/** The defence against requests that another site makes in a signed-in browser. In: headers. Out: allowed or not. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Actor, Method } from './route.ts'

const SAFE_METHODS: ReadonlySet<Method> = new Set(['GET'])
const CSRF_HEADER = 'x-csrf-token'

/**
 * Two fences, each enough alone: the browser's own word on where the request comes from, and a token that only a page
 * of ours can read. Requests that carry an API key, or come through the data folder's socket, need neither: no browser
 * adds those by itself. Signing in (no actor yet) must pass the first fence too, or a stranger could sign people in
 * as himself.
 */
export function isForged(method: Method, headers: IncomingHttpHeaders, actor: Actor | undefined): boolean {
  if (SAFE_METHODS.has(method)) return false
  if (actor !== undefined && actor.via !== 'session') return false
  if (!isSameOrigin(headers)) return true
  return actor?.session !== undefined && !isSameText(headers[CSRF_HEADER], actor.session.csrfToken)
}

/** `Sec-Fetch-Site` cannot be set by scripts and survives proxies that rewrite Host; older browsers send Origin alone. */
function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin, host } = headers
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

function isSameText(given: string | string[] | undefined, wanted: string): boolean {
  if (typeof given !== 'string') return false
  const left = Buffer.from(given)
  const right = Buffer.from(wanted)
  return left.length === right.length && timingSafeEqual(left, right)
}
