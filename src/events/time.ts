/** The time of an event: what the client said, corrected by how wrong the client's clock was. Pure. */

export interface ClientTimes {
  timestamp?: unknown
  originalTimestamp?: unknown
  /** Of the event and of its batch; the later counts. */
  sentAt?: unknown[]
  /** Server libraries run on machines whose clocks are kept: small shifts there are delay or a retry, not skew. */
  isServer?: boolean
}

/** Below this a server's shift is the network's, not the clock's. rudder-node resends a retry with its first sentAt. */
const SERVER_SHIFT_IGNORED_MS = 60_000
/** Each month of events is a partition of its own; absurd dates would open hundreds. The oldest real data known is of 1997. */
export const EVENT_TIME_MIN_MS = Date.UTC(1990, 0, 1)
const FUTURE_MAX_MS = 24 * 60 * 60 * 1000

/**
 * `(timestamp ?? originalTimestamp ?? receivedAt) + (receivedAt - sentAt)`, clamped to [1990, receivedAt + 1 day].
 * The formula is Segment's; taking `timestamp` first also keeps what RudderStack's clients backdate. Epoch milliseconds.
 */
export function correctTime(times: ClientTimes, receivedAt: number): number {
  const said = readInstant(times.timestamp) ?? readInstant(times.originalTimestamp)
  if (said === undefined) return receivedAt
  const sent = (times.sentAt ?? []).map(readInstant).filter(instant => instant !== undefined)
  const shift = sent.length > 0 ? receivedAt - Math.max(...sent) : 0
  const counts = !times.isServer || Math.abs(shift) >= SERVER_SHIFT_IGNORED_MS
  return Math.min(Math.max(said + (counts ? shift : 0), EVENT_TIME_MIN_MS), receivedAt + FUTURE_MAX_MS)
}

/** Numbers below this are seconds since 1970, above it milliseconds (it is the year 5138 in seconds, 1973 in milliseconds). */
const SECONDS_MAX = 100_000_000_000
const INSTANT_CHARACTERS_MAX = 64

/** An ISO-8601 text, a date as in HTTP or an epoch number as epoch milliseconds; undefined for anything else. */
export function readInstant(value: unknown): number | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value <= 0) return undefined
    const ms = Math.round(value < SECONDS_MAX ? value * 1000 : value)
    return Number.isNaN(new Date(ms).getTime()) ? undefined : ms
  }
  if (typeof value !== 'string' || value.length > INSTANT_CHARACTERS_MAX) return undefined
  const text = readableText(value)
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i
/** HTTP, e-mail and `Date.toString()` dates name their zone. */
const NAMES_ITS_ZONE = /^[A-Za-z]{3}.*(?:GMT|UTC|[+-]\d{2}:?\d{2})(?: \([^)]*\))?$/

/** Without a zone JavaScript would read local time, which on a server means nothing: it is read as UTC. */
function readableText(value: string): string | undefined {
  const [, date, time, zone = 'Z'] = ISO.exec(value) ?? []
  if (date !== undefined) return time === undefined ? date : `${date}T${time}${zone}`
  return NAMES_ITS_ZONE.test(value) ? value : undefined
}
