/**
 * In: what made a person want to buy (their own process, a visit, a mail, a call). Out: their orders, numbered by time,
 * with the visits around them.
 */
import { atSuitableHour } from './calendar.ts'
import type { Campaign } from './campaigns.ts'
import { countries } from './name-data.ts'
import { buildOrder, type Cause, ORDERS_MAX, type Order } from './orders.ts'
import type { Person } from './people.ts'
import type { VisitDraft } from './plan.ts'
import { type Channel, channelNames, DAY_MS, MINUTE_MS, planted } from './planted.ts'
import type { Experience, PurchaseProcess } from './purchases.ts'
import { purposes, Stream } from './random.ts'
import type { World } from './world.ts'

/** An order that is going to be placed, before its place and basket are known. */
export interface OrderIntent {
  at: number
  cause: Cause
  /** Through which channel the buying visit comes; null = drawn among those of people who mean to buy. */
  channel: Channel | null
  campaign: Campaign | null
  /** When that visit began, if it is already known. */
  visitAt: number | null
  voucher: { code: string; percent: number } | null
  experience: Experience
  isStoreOrder: boolean
}

/** A discount mail's voucher, usable in [from, to). */
export interface VoucherWindow {
  from: number
  to: number
  code: string
}

export interface PlacedOrder {
  order: Order
  experience: Experience
}

export interface Shopping {
  placed: PlacedOrder[]
  visits: VisitDraft[]
}

const WELCOME_VOUCHER = 'WELCOME5'
/** From the first page to the order, minutes. */
const BUYING_MINUTES = { from: 6, to: 24 }

/** The person's own orders, some of them in the store, some with a voucher that would not have been needed. */
export const ownIntents = (
  world: World,
  person: Person,
  process: PurchaseProcess,
  vouchers: readonly VoucherWindow[],
): OrderIntent[] => {
  const stream = new Stream(world.key, purposes.aftermath, person.index, 1)
  const { offsetMinutes } = countries[person.household.region.country]
  const { welcomeVoucherShare, welcomeVoucherPercent, storeShareOfStorePeople } = planted.orders
  const { voucherUse, voucherPercent } = planted.causes.mail
  return process.orders.map((own, index): OrderIntent => {
    const isStoreOrder = stream.chance(storeShareOfStorePeople) && person.store !== null
    const storeAt = atSuitableHour(stream, own.at, { hours: 'store', offsetMinutes, notBefore: person.joinAt })
    const at = isStoreOrder ? storeAt : own.at
    const usesVoucher = stream.chance(voucherUse[person.discountClass])
    const isWelcomed = stream.chance(welcomeVoucherShare) && index === 0
    const window = vouchers.find(voucher => voucher.from <= at && at < voucher.to)
    const welcome = isWelcomed ? { code: WELCOME_VOUCHER, percent: welcomeVoucherPercent } : null
    return {
      at,
      cause: { kind: 'own' },
      channel: null,
      campaign: null,
      visitAt: null,
      voucher: window && usesVoucher ? { code: window.code, percent: voucherPercent } : welcome,
      experience: own.experience,
      isStoreOrder,
    }
  })
}

/** Visits in the days before an order that look at what it will hold. */
const considering = (person: Person, order: Order, stream: Stream): VisitDraft[] => {
  const { intentVisitsMax, intentMeanDays, channelShares } = planted.browsing
  const { offsetMinutes } = countries[person.household.region.country]
  const hours = person.buysForCompany ? 'office' : 'home'
  const visits: VisitDraft[] = []
  for (let count = stream.below(intentVisitsMax + 1); count > 0; count -= 1) {
    const drawn = order.at - stream.exponential(intentMeanDays) * DAY_MS
    const at = atSuitableHour(stream, drawn, { hours, offsetMinutes, notBefore: person.joinAt })
    const channel = channelNames[stream.weighted(channelShares.intent)] ?? 'direct'
    const isHeldOut = channel === 'display' && person.heldOutOfDisplay
    if (at < order.at && at >= person.joinAt && !isHeldOut) {
      visits.push({ at, purpose: 'consider', channel, campaign: null, order })
    }
  }
  return visits
}

/** Intents in any order → the orders of the simulated days by time, each with its visits. */
export const placeOrders = (world: World, person: Person, intents: readonly OrderIntent[]): Shopping => {
  const shopping: Shopping = { placed: [], visits: [] }
  const byTime = intents
    .filter(intent => intent.at >= world.startAt && intent.at < world.horizonAt)
    .sort((a, b) => a.at - b.at)
    .slice(0, ORDERS_MAX)
  byTime.forEach((intent, number) => {
    const place = intent.isStoreOrder ? 'store' : 'online'
    const order = buildOrder(world, person, number, {
      at: intent.at,
      cause: intent.cause,
      place,
      voucher: intent.voucher,
    })
    shopping.placed.push({ order, experience: intent.experience })
    const stream = new Stream(world.key, purposes.aftermath, person.index, 2 + number)
    shopping.visits.push(...considering(person, order, stream))
    if (place === 'store') return
    const drawn = channelNames[stream.weighted(planted.browsing.channelShares.intent)] ?? 'direct'
    const usual = drawn === 'display' && person.heldOutOfDisplay ? 'direct' : drawn
    const minutes = stream.between(BUYING_MINUTES.from, BUYING_MINUTES.to)
    shopping.visits.push({
      at: intent.visitAt ?? Math.max(world.startAt, person.joinAt, Math.floor(order.at - minutes * MINUTE_MS)),
      purpose: 'buy',
      channel: intent.channel ?? usual,
      campaign: intent.campaign,
      order,
    })
  })
  return shopping
}
