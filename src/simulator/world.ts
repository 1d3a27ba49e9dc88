/** In: the options of a simulation. Out: the world that all lives share: days, catalogue, campaigns, and its limits. */
import { type Calendar, createCalendar } from './calendar.ts'
import { type Campaign, createCampaigns } from './campaigns.ts'
import { type Catalogue, createCatalogue } from './catalogue.ts'
import { DAY_MS, PRIOR_DAYS } from './planted.ts'
import { type Key, keyOf } from './random.ts'
import { Assortment } from './tastes.ts'

/** Order numbers are 32 bits: people × orders per person. */
const PEOPLE_MAX = 4_000_000
const DAYS_MAX = 3660
const INTENSITY_MAX = 100

export interface SimulationOptions {
  /** Whole number, 0 to 2^53 − 1. */
  seed: number
  /** How many people; the calls of the first n are the same for every larger number. */
  people: number
  /** How many companies; without it they grow with the people, and adding people changes nobody's company. */
  companies?: number
  /** First simulated instant, ms. */
  startAt: number
  /** Length of the simulated time. Part of the world: another length is another world. */
  days: number
  /** Nothing received at or after this instant, ms, is sent. Only cuts: what comes before stays the same. */
  endAt?: number
  /** Multiplies browsing (not purchases, mail or calls). Default 1. */
  intensity?: number
}

export interface World {
  readonly key: Key
  readonly people: number
  readonly companies: number | null
  readonly startAt: number
  /** The end of the simulated days: no episode begins at or after it. */
  readonly horizonAt: number
  readonly endAt: number
  readonly intensity: number
  readonly calendar: Calendar
  readonly catalogue: Catalogue
  readonly assortment: Assortment
  readonly campaigns: readonly Campaign[]
}

const requireWhole = (name: string, value: number, low: number, high: number): number => {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return value
  throw new RangeError(`${name} must be a whole number from ${low} to ${high}, not ${value}`)
}

/** Throws RangeError naming the option that is out of its limits. */
export const createWorld = (options: SimulationOptions): World => {
  const key = keyOf(requireWhole('seed', options.seed, 0, Number.MAX_SAFE_INTEGER))
  const people = requireWhole('people', options.people, 0, PEOPLE_MAX)
  const days = requireWhole('days', options.days, 1, DAYS_MAX)
  const startAt = requireWhole('startAt', options.startAt, Date.UTC(1980, 0), Date.UTC(2100, 0))
  const intensity = options.intensity ?? 1
  if (!(intensity >= 0 && intensity <= INTENSITY_MAX)) {
    throw new RangeError(`intensity must be from 0 to ${INTENSITY_MAX}, not ${intensity}`)
  }
  const companies = options.companies === undefined ? null : requireWhole('companies', options.companies, 0, PEOPLE_MAX)
  const horizonAt = startAt + days * DAY_MS
  const firstAt = startAt - PRIOR_DAYS * DAY_MS
  const catalogue = createCatalogue(key, { firstAt, startAt, untilAt: horizonAt })
  return {
    key,
    people,
    companies,
    startAt,
    horizonAt,
    endAt: options.endAt ?? Number.POSITIVE_INFINITY,
    intensity,
    calendar: createCalendar(firstAt, horizonAt + DAY_MS),
    catalogue,
    assortment: new Assortment(catalogue.byCategory),
    campaigns: createCampaigns(startAt, horizonAt),
  }
}
