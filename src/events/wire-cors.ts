/** Collection answers pages of any origin: a write key is public and no cookie of ours is read. In: headers. Out: headers. Pure. */
import type { IncomingHttpHeaders } from 'node:http'

const PREFLIGHT_SECONDS = 86_400
/** Everything that the browser clients of Segment, RudderStack, Jitsu and PostHog ask for in their preflights. */
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'content-encoding',
  'x-retry-count',
  'anonymousid',
  'sentat',
  'x-write-key',
  'x-enable-debug',
  'x-ip-policy',
  'posthog-sdk-info',
  'posthog-attempt',
  'posthog-request-id',
  'posthog-request-timestamp',
].join(', ')

/** The origin is echoed rather than `*`: beacons are sent with credentials, and browsers refuse `*` for those. */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'retry-after',
    // What the app's own pages may embed is its own affair; these answers are for pages elsewhere.
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  }
}

export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return {
    ...(headers.origin === undefined ? {} : corsHeaders(headers.origin)),
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  }
}
