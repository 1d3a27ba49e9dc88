/** Dates as files hold them in, ISO text out; what cannot be told without guessing is refused. */

/** Named forms beside the patterns of letters. */
export const namedDateFormats = ['iso', 'epoch-seconds', 'epoch-milliseconds'] as const

/** A date or instant, still in its own wall clock where it names no offset. */
interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  millisecond: number
  /** 0 to 11 with `isAfternoon`, from a clock of twelve hours. */
  isAfternoon?: boolean
  offsetMinutes?: number
}

export type DateParts = Parts

export type DateReader = (text: string) => DateParts | undefined

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
/** Two-digit years from here on are 19xx, below 20xx, as POSIX has it. */
const CENTURY_PIVOT = 70
const MILLISECONDS_OF_MINUTE = 60_000
const MILLISECONDS_OF_HOUR = 3_600_000

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/

const readIso: DateReader = text => {
  const match = iso.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', offset] = match
  return check({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
    ...(offset === undefined ? {} : { offsetMinutes: readOffset(offset) }),
  })
}

const readEpoch = (unit: number): DateReader => {
  return text => {
    if (!/^-?\d{1,16}(\.\d+)?$/.test(text)) return undefined
    const milliseconds = Math.round(Number(text) * unit)
    const date = new Date(milliseconds)
    if (Number.isNaN(date.getTime())) return undefined
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      millisecond: date.getUTCMilliseconds(),
      offsetMinutes: 0,
    }
  }
}

type Field = { match: string; part?: keyof Parts; value?: (text: string) => number | boolean }

/** Each run of letters in a pattern: what it matches, which part of a date that is, and how it is read (as a number). */
const fields: { [letters: string]: Field } = {
  yyyy: { match: '\\d{4}', part: 'year' },
  yy: { match: '\\d{2}', part: 'year', value: text => Number(text) + (Number(text) < CENTURY_PIVOT ? 2000 : 1900) },
  MMMM: { match: '[A-Za-z]+', part: 'month', value: text => monthNames.indexOf(text.toLowerCase()) + 1 },
  MMM: { match: '[A-Za-z]{3}', part: 'month', value: text => months.indexOf(text.toLowerCase()) + 1 },
  MM: { match: '\\d{2}', part: 'month' },
  M: { match: '\\d{1,2}', part: 'month' },
  dd: { match: '\\d{2}', part: 'day' },
  d: { match: '\\d{1,2}', part: 'day' },
  EEEE: { match: '[A-Za-z]+' },
  EEE: { match: '[A-Za-z]{3}' },
  HH: { match: '\\d{2}', part: 'hour' },
  H: { match: '\\d{1,2}', part: 'hour' },
  hh: { match: '\\d{2}', part: 'hour' },
  h: { match: '\\d{1,2}', part: 'hour' },
  mm: { match: '\\d{2}', part: 'minute' },
  m: { match: '\\d{1,2}', part: 'minute' },
  ss: { match: '\\d{2}', part: 'second' },
  s: { match: '\\d{1,2}', part: 'second' },
  SSS: { match: '\\d{3}', part: 'millisecond' },
  SSSSSS: { match: '\\d{6}', part: 'millisecond', value: text => Math.floor(Number(text) / 1000) },
  a: { match: '[AaPp]\\.?[Mm]\\.?', part: 'isAfternoon', value: text => /^p/i.test(text) },
  X: { match: 'Z|[+-]\\d{2}(?::?\\d{2})?', part: 'offsetMinutes', value: readOffset },
}

/** The parts of a pattern: runs of one letter, quoted words, anything else as it stands. */
const patternPart = /([A-Za-z])\1*|'[^']*'|[^A-Za-z']+/g

/** Why a date format cannot be used, or nothing. */
export function faultOfDateFormat(format: string): string | undefined {
  if ((namedDateFormats as readonly string[]).includes(format)) return undefined
  const letters = (format.match(patternPart) ?? []).filter(part => /^[A-Za-z]/.test(part))
  const unknown = letters.find(part => !Object.hasOwn(fields, part))
  if (unknown) return `"${unknown}" means nothing in a date format; known are ${Object.keys(fields).join(' ')}`
  for (const [what, starts] of [
    ['year', 'y'],
    ['month', 'M'],
    ['day', 'd'],
  ] as const) {
    if (!letters.some(part => part.startsWith(starts))) return `the format names no ${what}`
  }
  if (letters.some(part => part.startsWith('h')) !== letters.includes('a')) return 'h and a (am or pm) go together'
  return undefined
}

/** Makes a reader for one format (checked by `faultOfDateFormat`). It refuses what does not match to the letter. */
export function compileDateFormat(format: string): DateReader {
  if (format === 'iso') return readIso
  if (format === 'epoch-seconds') return readEpoch(1000)
  if (format === 'epoch-milliseconds') return readEpoch(1)
  const read: Field[] = []
  let pattern = ''
  for (const part of format.match(patternPart) ?? []) {
    const field = fields[part]
    if (field) {
      pattern += `(${field.match})`
      read.push(field)
    } else pattern += escapePattern(part.startsWith("'") ? part.slice(1, -1) : part)
  }
  const expression = new RegExp(`^${pattern}$`)
  return text => {
    const match = expression.exec(text)
    if (!match) return undefined
    const parts: Record<string, number | boolean> = { hour: 0, minute: 0, second: 0, millisecond: 0 }
    for (let index = 0; index < read.length; index += 1) {
      const field = read[index]
      const found = match[index + 1] ?? ''
      if (field?.part) parts[field.part] = field.value ? field.value(found) : Number(found)
    }
    return check(parts as unknown as Parts)
  }
}

const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+')

function readOffset(text: string): number {
  if (/^z$/i.test(text)) return 0
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

/** Nothing for the 31st of February and its like. */
function check(parts: Parts): Parts | undefined {
  const { year, month, day } = parts
  let { hour } = parts
  if (parts.isAfternoon !== undefined) {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (parts.isAfternoon ? 12 : 0)
  }
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined
  if (hour > 23 || parts.minute > 59 || parts.second > 59) return undefined
  return { ...parts, hour }
}

const daysOf = (year: number, month: number) => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const digits = (value: number, length: number) => String(value).padStart(length, '0')

/** `yyyy-MM-dd` of the wall clock that the text shows. */
export const toIsoDate = ({ year, month, day }: DateParts): string =>
  `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`

/** The instant in UTC with milliseconds. `offsetAt` gives the zone's offset where the text names none. */
export function toInstant(parts: DateParts, zone: string): string {
  const local = Date.UTC(
    parts.year,
    parts.month - 1,
    parts.day,
    parts.hour,
    parts.minute,
    parts.second,
    parts.millisecond,
  )
  // Date.UTC takes years 0 to 99 for 1900 to 1999.
  const wall = parts.year < 100 ? new Date(local).setUTCFullYear(parts.year) : local
  const offsetMinutes = parts.offsetMinutes ?? (zone === 'UTC' ? 0 : offsetOfWall(wall, zone))
  return new Date(wall - offsetMinutes * MILLISECONDS_OF_MINUTE).toISOString()
}

/**
 * Minutes that a zone's clock is ahead of UTC when it shows `wall`. In the hour that autumn repeats the first one is
 * taken; in the hour that spring leaves out the clock is read as it stood before the change.
 */
function offsetOfWall(wall: number, zone: string): number {
  const before = offsetAt(wall - 24 * MILLISECONDS_OF_HOUR, zone)
  const after = offsetAt(wall + 24 * MILLISECONDS_OF_HOUR, zone)
  if (before === after) return before
  return offsetAt(wall - before * MILLISECONDS_OF_MINUTE, zone) === before || !holds(wall, after, zone) ? before : after
}

const holds = (wall: number, offset: number, zone: string) =>
  offsetAt(wall - offset * MILLISECONDS_OF_MINUTE, zone) === offset

const formatters = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, number>()
/** Entries kept: asking for an offset costs 10 µs, and an import asks for the same hours again and again. */
const OFFSETS_KEPT_MAX = 20_000

/** Minutes that a zone is ahead of UTC at an instant. Offsets change on full hours of UTC, or half ones: 15 minutes. */
function offsetAt(instant: number, zone: string): number {
  const slot = Math.floor(instant / (15 * MILLISECONDS_OF_MINUTE))
  const key = `${zone} ${slot}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  if (offsets.size >= OFFSETS_KEPT_MAX) offsets.clear()
  let formatter = formatters.get(zone)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' })
    formatters.set(zone, formatter)
  }
  const name = formatter.formatToParts(instant).find(part => part.type === 'timeZoneName')?.value ?? 'GMT'
  const offset = name === 'GMT' ? 0 : readOffset(name.slice(3))
  offsets.set(key, offset)
  return offset
}

/** Whether a zone is known, by its IANA name. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
