/**
 * In: the simulated days. Out: when things happen: busier weekdays and seasons, and hours at which people are awake.
 *
 * Season and weekday work by stretching time: processes are drawn in "trading days" and mapped to real instants, so
 * that a process which is Poisson by construction stays exactly Poisson in trading days.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, planted } from './planted.ts'
import { cumulate, type Stream } from './random.ts'

export interface Calendar {
  /** Midnight UTC of day 0, long before the first simulated day. */
  readonly firstDayAt: number
  /** Trading days before each day; one entry more than there are days. */
  readonly cumulative: Float64Array
}

const weekdayOf = (at: number): number => (Math.floor(at / DAY_MS) + 3) % 7

/** How busy the day of this instant is: 1 is the average of a year. Monday is the first weekday. */
const busyness = (at: number): number =>
  (planted.calendar.weekdays[weekdayOf(at)] ?? 1) * (planted.calendar.months[new Date(at).getUTCMonth()] ?? 1)

export const createCalendar = (firstAt: number, lastAt: number): Calendar => {
  const firstDayAt = Math.floor(firstAt / DAY_MS) * DAY_MS
  const days = Math.ceil((lastAt - firstDayAt) / DAY_MS) + 1
  const cumulative = new Float64Array(days + 1)
  for (let day = 0; day < days; day += 1) {
    cumulative[day + 1] = (cumulative[day] ?? 0) + busyness(firstDayAt + day * DAY_MS)
  }
  return { firstDayAt, cumulative }
}

/** Trading days from the calendar's beginning to this instant. */
export const tradingTime = (calendar: Calendar, at: number): number => {
  const days = (at - calendar.firstDayAt) / DAY_MS
  const day = Math.min(Math.max(Math.floor(days), 0), calendar.cumulative.length - 2)
  const start = calendar.cumulative[day] ?? 0
  return start + (days - day) * ((calendar.cumulative[day + 1] ?? 0) - start)
}

/** The instant at which that much trading time has passed; Infinity beyond the calendar's end. */
export const instantAt = (calendar: Calendar, trading: number): number => {
  const { cumulative, firstDayAt } = calendar
  const last = cumulative.length - 1
  if (trading >= (cumulative[last] ?? 0)) return Number.POSITIVE_INFINITY
  let day = Math.min(Math.max(Math.floor(trading), 0), last - 1)
  while ((cumulative[day] ?? 0) > trading) day -= 1
  while ((cumulative[day + 1] ?? 0) <= trading) day += 1
  const start = cumulative[day] ?? 0
  return firstDayAt + (day + (trading - start) / ((cumulative[day + 1] ?? 0) - start)) * DAY_MS
}

export type Hours = keyof typeof planted.calendar.hours

const hourSums = Object.fromEntries(
  Object.entries(planted.calendar.hours).map(([name, weights]) => [name, cumulate(weights)]),
) as Record<Hours, Float64Array>

/**
 * The same local day (for the shop's desk, the next working day) at an hour that suits what is done; if that is before `notBefore`, a little after `notBefore`.
 * Whole milliseconds.
 */
export const atSuitableHour = (
  stream: Stream,
  at: number,
  place: { hours: Hours; offsetMinutes: number; notBefore: number },
): number => {
  const offsetMs = place.offsetMinutes * MINUTE_MS
  const day = Math.floor((at + offsetMs) / DAY_MS) * DAY_MS
  const weekday = weekdayOf(day)
  const localDay = place.hours === 'desk' && weekday >= 5 ? day + (7 - weekday) * DAY_MS : day
  const hour = stream.among(hourSums[place.hours])
  const suitable = localDay - offsetMs + hour * HOUR_MS + Math.floor(stream.unit() * HOUR_MS)
  if (suitable >= place.notBefore) return suitable
  return Math.floor(place.notBefore + stream.between(2, 40) * MINUTE_MS)
}

const MAIL_HOUR = 8

/** Eight in the morning UTC of the instant's day. */
export const mailHour = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS + MAIL_HOUR * HOUR_MS
