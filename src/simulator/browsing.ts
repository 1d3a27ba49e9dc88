/**
 * In: a person and the orders they place by themselves. Out: their visits without buying, by channel, and the orders
 * that a visit through a channel caused.
 */
import { atSuitableHour, instantAt, tradingTime } from './calendar.ts'
import type { OrderIntent } from './intents.ts'
import { countries } from './name-data.ts'
import type { Person } from './people.ts'
import type { Touch, VisitDraft } from './plan.ts'
import { type Channel, channelNames, DAY_MS, MINUTE_MS, planted, WEEK_MS } from './planted.ts'
import { type CustomerState, type PurchaseProcess, stateAt } from './purchases.ts'
import { cumulate, purposes, Stream } from './random.ts'
import type { World } from './world.ts'

/** A bound on one person's browsing, far above anybody's. */
const VISITS_MAX = 20_000
const LATER_ORDER_MEAN_DAYS = 1.5
const TRADING_WEEK_DAYS = WEEK_MS / DAY_MS

export interface Browsing {
  visits: VisitDraft[]
  intents: OrderIntent[]
  touches: Touch[]
}

const discoverySums = cumulate(planted.browsing.channelShares.discovery)
const returningSums = cumulate(planted.browsing.channelShares.returning)

const drawChannel = (stream: Stream, state: CustomerState): Channel => {
  return channelNames[stream.among(state === 'prospect' ? discoverySums : returningSums)] ?? 'direct'
}

/** Share of the visits that still happen: prospects forget the shop, customers who left hardly come back. */
const interest = (person: Person, state: CustomerState, at: number): number => {
  if (state === 'customer') return 1
  if (state === 'left') return planted.churn.browsingAfter
  return Math.exp(-(at - person.joinAt) / (planted.browsing.prospectMemoryDays * DAY_MS))
}

/** The probability that one visit through this channel causes an order. */
const channelEffect = (channel: Channel, state: CustomerState): number =>
  planted.causes.channelEffect[channel] * planted.causes.stateFactor[state]

const intentOf = (stream: Stream, visit: VisitDraft): OrderIntent => {
  const sameVisit = stream.chance(planted.causes.channelSameVisitShare)
  const laterMs = stream.exponential(LATER_ORDER_MEAN_DAYS) * DAY_MS
  return {
    at: Math.floor(visit.at + stream.between(12, 25) * MINUTE_MS + (sameVisit ? 0 : laterMs)),
    cause: { kind: 'channel', channel: visit.channel },
    channel: sameVisit ? visit.channel : 'direct',
    campaign: null,
    visitAt: sameVisit ? visit.at : null,
    voucher: null,
    experience: 'good',
    isStoreOrder: false,
  }
}

export const planBrowsing = (world: World, person: Person, process: PurchaseProcess): Browsing => {
  const stream = new Stream(world.key, purposes.browsing, person.index)
  const { shape, meanPerWeek } = planted.browsing
  const perWeek = (stream.gamma(shape) / shape) * meanPerWeek * world.intensity
  const { offsetMinutes } = countries[person.household.region.country]
  const hours = person.buysForCompany ? 'office' : 'home'
  const browsing: Browsing = { visits: [], intents: [], touches: [] }
  const meet = (at: number, channel: Channel, state: CustomerState): void => {
    const visit: VisitDraft = { at, purpose: 'browse', channel, campaign: null, order: null }
    const effect = channelEffect(channel, state)
    const wants = stream.chance(effect)
    const intent = intentOf(stream, visit)
    const caused = wants && intent.at < world.horizonAt
    if (effect > 0) browsing.touches.push({ at, channel, effect, caused })
    if (caused) browsing.intents.push(intent)
    // A visit that ends in an order is told by the order.
    if (!caused || intent.visitAt === null) browsing.visits.push(visit)
  }
  if (!person.isExisting) meet(person.joinAt, process.firstChannel, 'prospect')
  const notBefore = Math.max(person.joinAt, world.startAt)
  let trading = tradingTime(world.calendar, notBefore)
  for (let count = 0; count < VISITS_MAX && perWeek > 0; count += 1) {
    trading += (stream.exponential(1) / perWeek) * TRADING_WEEK_DAYS
    const drawn = instantAt(world.calendar, trading)
    if (drawn >= world.horizonAt) break
    const state = stateAt(process, drawn)
    if (!stream.chance(interest(person, state, drawn))) continue
    const at = atSuitableHour(stream, drawn, { hours, offsetMinutes, notBefore })
    const channel = drawChannel(stream, state)
    const isHeldOut = channel === 'display' && person.heldOutOfDisplay
    if (!isHeldOut && at < world.horizonAt) meet(at, channel, state)
  }
  return browsing
}
