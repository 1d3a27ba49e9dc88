/**
 * In: a call's true time and source. Out: when its client sends it and when it arrives; for a few, hours or days late,
 * and for a few a second time.
 */
import type { Clock, SimulatedSource } from './calls.ts'
import { DAY_MS, HOUR_MS, planted } from './planted.ts'
import type { Stream } from './random.ts'

export interface Delivery {
  /** True time, ms, at which the client sends. */
  sentAt: number
  receivedAt: number
  /** A retry of the same call arrives at this instant. */
  repeatedAt: number | null
}

/** How long each client gathers calls before it sends, ms. */
const gatherMs: Record<SimulatedSource, number> = {
  website: 40,
  shop: 10_000,
  'mobile-app': 30_000,
  email: 60_000,
  'call-centre': 5_000,
  'help-desk': 5_000,
  social: 20_000,
  'point-of-sale': 120_000,
  crm: 1_000,
}

const NETWORK_MS = { least: 20, mean: 80, most: 5_000 }
/** Most retries come at once, one in five after a restart, up to weeks later. */
const QUICK_RETRY_SHARE = 0.8
const QUICK_RETRY_MS = { from: 2_000, to: 120_000 }
const SLOW_RETRY_MEAN_DAYS = 2
const SLOW_RETRY_DAYS_MAX = 20

const repeatAfter = (stream: Stream): number =>
  stream.chance(QUICK_RETRY_SHARE)
    ? stream.between(QUICK_RETRY_MS.from, QUICK_RETRY_MS.to)
    : Math.min(stream.exponential(SLOW_RETRY_MEAN_DAYS), SLOW_RETRY_DAYS_MAX) * DAY_MS

export const drawDelivery = (stream: Stream, source: SimulatedSource, at: number, clock: Clock): Delivery => {
  const { lateShare, lateMedianHours, lateSigma, lateDaysMax, duplicateShare } = planted.faults
  const gathered = at + stream.unit() * gatherMs[source]
  const network = Math.min(NETWORK_MS.least + stream.exponential(NETWORK_MS.mean), NETWORK_MS.most)
  const isLate = stream.chance(lateShare)
  const delay = isLate ? Math.min(stream.logNormal(lateMedianHours, lateSigma) * HOUR_MS, lateDaysMax * DAY_MS) : 0
  const sentAt = Math.floor(Math.max(gathered, clock.heldUntil) + delay)
  const receivedAt = Math.floor(sentAt + network)
  const isRepeated = stream.chance(duplicateShare)
  return { sentAt, receivedAt, repeatedAt: isRepeated ? Math.floor(receivedAt + repeatAfter(stream)) : null }
}
