/**
 * In: a person. Out: the devices they use, each with its anonymous ids over time, its clock and its faults. A tablet
 * belongs to the household: every member gets the same one, under the same anonymous id.
 */
import type { JsonObject } from '../spec/json.ts'
import type { Household } from './households.ts'
import type { Person } from './people.ts'
import { DAY_MS, HOUR_MS, planted } from './planted.ts'
import { type Key, purposes, Stream, scramble } from './random.ts'
import type { World } from './world.ts'

export type DeviceKind = 'laptop' | 'phone' | 'app' | 'work' | 'tablet'

export interface Device {
  kind: DeviceKind
  source: 'website' | 'mobile-app'
  userAgent: string
  /** `context` of an app call: app, device, os, network; empty for browsers. */
  appContext: JsonObject
  isShared: boolean
  /** Whether its user ever signs in on it. */
  signsIn: boolean
  /** The device's clock minus true time, ms. */
  skewMs: number
  /** Sends userId "null" before a login. */
  isBuggy: boolean
  /** How likely a visit happens on it, before hours are considered. */
  weight: number
  /** When each anonymous id begins; the last one lasts. */
  renewals: readonly number[]
  /** The anonymous id number `epoch`. */
  anonymousId: (epoch: number) => string
  deviceId: string | null
}

const TABLET_PART = 1000
const RENEWALS_MAX = 60

const browsers: Record<Exclude<DeviceKind, 'app'>, readonly string[]> = {
  laptop: [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ],
  work: [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0',
  ],
  phone: [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
  ],
  tablet: [
    'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  ],
}

const phones = [
  { type: 'ios', manufacturer: 'Apple', model: 'iPhone15,4', os: { name: 'iOS', version: '18.5' } },
  { type: 'ios', manufacturer: 'Apple', model: 'iPhone14,5', os: { name: 'iOS', version: '17.7' } },
  { type: 'android', manufacturer: 'Google', model: 'Pixel 8', os: { name: 'Android', version: '15' } },
  { type: 'android', manufacturer: 'Fairphone', model: 'FP5', os: { name: 'Android', version: '14' } },
] as const

const drawSkew = (stream: Stream): number => {
  const { skewedDeviceShare, skewHoursMax, deadClockShare } = planted.faults
  const drawn = stream.unit()
  const skew = Math.floor(stream.between(-skewHoursMax, skewHoursMax) * HOUR_MS)
  // A dead battery: the clock starts again ten years ago.
  if (drawn < deadClockShare) return -3650 * DAY_MS
  return drawn < deadClockShare + skewedDeviceShare ? skew : 0
}

const drawRenewals = (stream: Stream, firstAt: number, untilAt: number): number[] => {
  const renewals = [firstAt]
  for (let at = firstAt; renewals.length < RENEWALS_MAX; ) {
    at += Math.floor(stream.exponential(planted.identity.cookieLifetimeDays) * DAY_MS) + HOUR_MS
    if (at >= untilAt) break
    renewals.push(at)
  }
  return renewals
}

const anonymousIdsOf = (key: Key, subject: number, part: number): ((epoch: number) => string) => {
  const known: string[] = []
  return epoch => {
    known[epoch] ??= new Stream(key, purposes.anonymousId, subject, part + epoch).uuid()
    return known[epoch] ?? ''
  }
}

interface Make {
  kind: DeviceKind
  subject: number
  part: number
  firstAt: number
  weight: number
}

const appContextOf = (stream: Stream, deviceId: string): JsonObject => {
  const phone = stream.pick(phones)
  const tracks = stream.chance(0.45)
  const advertisingId = stream.uuid()
  return {
    app: { name: 'Northwind', version: '4.2.0', build: '420' },
    device: {
      id: deviceId,
      type: phone.type,
      manufacturer: phone.manufacturer,
      model: phone.model,
      adTrackingEnabled: tracks,
      ...(tracks ? { advertisingId } : {}),
    },
    os: { ...phone.os },
    library: { name: phone.type === 'ios' ? 'analytics-swift' : 'analytics-kotlin', version: '1.7.3' },
  }
}

const makeDevice = (world: World, make: Make): Device => {
  const stream = new Stream(world.key, purposes.device, make.subject, make.part)
  const isApp = make.kind === 'app'
  const isShared = make.kind === 'tablet'
  const signsIn = !stream.chance(planted.identity.neverLogsInShare) || isShared
  const skewMs = drawSkew(stream)
  const isBuggy = stream.chance(planted.faults.buggyAppShare) && isApp
  const deviceId = isApp ? stream.uuid() : null
  const appContext = deviceId === null ? {} : appContextOf(stream, deviceId)
  const renewals = isApp || isShared ? [make.firstAt] : drawRenewals(stream, make.firstAt, world.horizonAt)
  return {
    kind: make.kind,
    source: isApp ? 'mobile-app' : 'website',
    userAgent: isApp ? '' : stream.pick(browsers[make.kind === 'app' ? 'phone' : make.kind]),
    appContext: isBuggy ? { ...appContext, app: { name: 'Northwind', version: '4.1.0', build: '410' } } : appContext,
    isShared,
    signsIn,
    skewMs,
    isBuggy,
    weight: make.weight,
    renewals,
    anonymousId: anonymousIdsOf(world.key, make.subject, make.part * 100),
    deviceId,
  }
}

const ownership = { laptop: 0.55, phone: 0.6, app: 0.3, work: 0.5 }
const officeJobs = new Set(['office', 'professional', 'manager'])

export const describeDevices = (world: World, person: Person): Device[] => {
  const stream = new Stream(world.key, purposes.device, person.index, 0)
  const firstAt = Math.min(person.joinAt, world.startAt)
  const owns = {
    laptop: stream.chance(ownership.laptop),
    phone: stream.chance(ownership.phone),
    app: stream.chance(ownership.app),
    work: stream.chance(ownership.work) && (officeJobs.has(person.occupation) || person.buysForCompany),
    tablet: person.household.sharesTablet,
  }
  const weights = { laptop: 4, phone: 5, app: 6, work: person.buysForCompany ? 12 : 3, tablet: 14 }
  const kinds = (Object.keys(owns) as DeviceKind[]).filter(kind => owns[kind])
  if (!kinds.some(kind => kind !== 'tablet')) kinds.push('phone')
  return kinds.map(kind => {
    const isShared = kind === 'tablet'
    const subject = isShared ? person.household.first : person.index
    const part = isShared ? TABLET_PART : 1 + ['laptop', 'phone', 'app', 'work'].indexOf(kind)
    return makeDevice(world, { kind, subject, part, firstAt: isShared ? 0 : firstAt, weight: weights[kind] })
  })
}

/**
 * Whose turn it is with the household's tablet: one member for a few days at a time, whatever the others do, so that
 * lives stay independent of each other.
 */
export const tabletHolder = (household: Household, at: number): number => {
  const turn = Math.floor(at / (planted.identity.tabletTurnDays * DAY_MS))
  return household.members[scramble(turn, household.first) % household.members.length] ?? household.first
}

/** Which anonymous id the device carries at an instant. */
export const epochAt = (device: Device, at: number): number => {
  let epoch = device.renewals.length - 1
  while (epoch > 0 && (device.renewals[epoch] ?? 0) > at) epoch -= 1
  return epoch
}

/** The anonymous id of a store's kiosk: one for everybody who uses it. */
export const kioskAnonymousId = (world: World, store: number): string =>
  new Stream(world.key, purposes.store, store).uuid()

export const kioskUserAgent =
  'Mozilla/5.0 (X11; CrOS x86_64 16181.61.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36'
