/**
 * Instants as vendors write them: ISO-8601, RFC 2822 or epoch numbers come in, ISO-8601 UTC with milliseconds goes out.
 * Never the machine's own time zone: a time without a zone is UTC, so that the same delivery means the same everywhere.
 */

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$/
const rfc2822Pattern = /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|[+-]\d{4})$/

/** From here on an epoch number counts milliseconds: as seconds it would be the year 5138. */
const epochMillisecondsFrom = 100_000_000_000
/** Birthdays reach back; but before this, `Date.UTC` reads a year as a short one. */
const firstInstantMs = Date.UTC(1000, 0, 1)
const lastInstantMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** ISO-8601 date or date-time, or an RFC 2822 date; undefined if it is neither, or no day of the calendar. */
export function parseInstant(text: string): string | undefined {
  const trimmed = text.trim()
  if (rfc2822Pattern.test(trimmed)) return isoOf(Date.parse(trimmed))
  const match = isoPattern.exec(trimmed)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3))
  const parts = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number]
  if (parts[0] < 1000) return undefined
  const utcMs = Date.UTC(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], parts[5], milliseconds)
  // Date.UTC carries 31 April over into May, and 24:00 into tomorrow: those are faults, not instants.
  const read = new Date(utcMs)
  if (read.getUTCMonth() !== parts[1] - 1 || read.getUTCDate() !== parts[2] || read.getUTCHours() !== parts[3])
    return undefined
  if (parts[4] > 59 || parts[5] > 59) return undefined
  return isoOf(utcMs - zoneMs(zone))
}

/** Seconds or milliseconds since 1970 (told apart by size); undefined if the number is no instant from 1970 to 9999. */
export function instantOfEpoch(epoch: number): string | undefined {
  return epoch >= 0 ? isoOf(epoch >= epochMillisecondsFrom ? epoch : epoch * 1000) : undefined
}

function isoOf(ms: number): string | undefined {
  return ms >= firstInstantMs && ms <= lastInstantMs ? new Date(ms).toISOString() : undefined
}

function zoneMs(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000
}
