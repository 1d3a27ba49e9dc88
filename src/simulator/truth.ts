/**
 * In: the options of a simulation. Out: what truly happened and why, which no call says: who is who, what people like,
 * what made them buy, what the shop earned.
 *
 * Nothing is recorded while simulating: truth is worked out from the same options, so it can be asked after the calls
 * have gone through any pipeline, in any order, and years later. `docs/reference/simulator.md` lists the figures.
 */

import { type Campaign, mailEffect } from './campaigns.ts'
import { LifeCache } from './life-cache.ts'
import { openCall } from './message-id.ts'
import { personalMailDomains, stores } from './name-data.ts'
import { type Cause, type Order, profitOf } from './orders.ts'
import { callEffect, salespersonOf } from './outreach.ts'
import type { Episode, Life } from './plan.ts'
import { type Channel, planted, type Salesperson, salespeople } from './planted.ts'
import { type Category, categories } from './product-data.ts'
import { categoryShares } from './tastes.ts'
import { type IdentifierTruth, identifiersOf, junkIdentifiers } from './true-identifiers.ts'
import { createWorld, type SimulationOptions } from './world.ts'

/** Instants are ms of true time; null means never (or, for an end, still so). */
type Instant = number | null

export interface ProductTruth {
  productId: string
  sku: string
  name: string
  category: Category
  /** Null for products that were always on sale. */
  launchAt: Instant
  /** Prices and costs in force from `at`, minor units without tax; margin = price − cost. */
  prices: readonly { at: number; priceMinor: number; costMinor: number }[]
}

export interface LineTruth {
  productId: string
  category: Category
  quantity: number
  priceMinor: number
  costMinor: number
  discountMinor: number
  returnedQuantity: number
}

export interface OrderTruth {
  orderId: string
  person: number
  at: number
  /** `own` orders would have been placed anyway; every other order exists only because of its cause. */
  cause: Cause
  place: 'online' | 'store'
  groupId: string | null
  voucher: string | null
  lines: readonly LineTruth[]
  discountMinor: number
  /** Σ price × quantity − discount: the subtotal. */
  revenueMinor: number
  shippingMinor: number
  taxMinor: number
  totalMinor: number
  refund: { at: number; revenueMinor: number; taxMinor: number; totalMinor: number } | null
  /** Revenue − cost of goods, both less what came back. */
  profitMinor: number
  /** False for cash in the store without card, loyalty number or address: no system can know whose it is. */
  isIdentifiable: boolean
}

/** One visit through a channel that can cause an order. */
export interface TouchTruth {
  channel: Channel
  at: number
  expectedOrders: number
  caused: boolean
}

/** What one campaign did with one person. */
export interface TreatmentTruth {
  campaignId: string
  kind: Campaign['kind']
  arm: 'holdout' | 'plain' | 'discount'
  at: number
  /** Orders that this very treatment was expected to add; 0 in the hold-out. */
  expectedOrders: number
  caused: boolean
}

export interface PersonTruth {
  person: number
  /** First contact was before the simulated days. */
  isExisting: boolean
  firstContactAt: number
  household: { id: string; members: readonly number[] }
  employments: readonly { groupId: string; from: number; to: Instant }[]
  buysForCompany: boolean
  salespersonId: string
  demographics: {
    birthDate: string
    /** On the first simulated day. */
    ageBand: string
    gender: string
    incomeBand: string
    occupation: string
    region: string
    country: string
    hasChildren: boolean
  }
  identifiers: readonly IdentifierTruth[]
  devices: readonly { kind: string; isShared: boolean; signsIn: boolean; skewMs: number; isBuggy: boolean }[]
  accountAt: Instant
  secondAccountAt: Instant
  aliasAt: Instant
  subscribedAt: Instant
  unsubscribedAt: Instant
  /** Share of each category in what the person takes on purpose (companions of a product come on top). */
  categoryShares: Record<Category, number>
  discountClass: string
  heldOutOfDisplay: boolean
  /** Orders that one treatment adds while the person is a customer who has not left. */
  effects: { mailPlain: number; mailDiscount: number; newsletter: number; connectedCall: number }
  purchase: {
    firstChannel: Channel
    conversionProbability: number
    /** Becomes a customer without any cause. */
    isBuyer: boolean
    /** BG/NBD, per trading week. */
    ratePerWeek: number | null
    dropoutProbability: number | null
    firstOrderAt: Instant
    leftAt: Instant
    badExperiences: readonly { at: number; solved: boolean }[]
  }
  treatments: readonly TreatmentTruth[]
  touches: readonly TouchTruth[]
  orders: readonly OrderTruth[]
}

export interface CallTruth {
  /** Null for the catalogue's calls. */
  person: number | null
  /** What the call is part of. */
  episode: Episode['kind'] | 'catalogue'
  /** When that episode began. */
  at: number | null
  orderId: string | null
}

/** How often something was done, how many orders it was expected to add, and how many it did add. */
export interface Effect {
  times: number
  expectedOrders: number
  causedOrders: number
}

export interface Totals {
  people: number
  buyers: number
  orders: number
  revenueMinor: number
  profitMinor: number
  /** Orders in the simulated days by cause: `own`, `channel:social`, `mail:plain`, `call:plain` … */
  ordersByCause: Record<string, number>
  /** By campaign and arm: people treated. */
  campaigns: Record<string, Effect>
  /** By channel: visits that could cause an order. */
  channels: Record<string, Effect>
}

export interface Truth {
  readonly planted: typeof planted
  readonly salespeople: readonly Salesperson[]
  readonly stores: readonly { id: string; name: string; region: string }[]
  readonly campaigns: readonly Campaign[]
  readonly products: readonly ProductTruth[]
  /** Mail domains of private people: addresses there say nothing about a company. */
  readonly personalMailDomains: readonly string[]
  /** Values that mean nobody. */
  readonly junkIdentifiers: typeof junkIdentifiers
  /** The true person of a stored event: index, null for the catalogue, undefined for an id that is not of this simulation. */
  personOf: (messageId: string) => number | null | undefined
  callOf: (messageId: string) => CallTruth | undefined
  person: (index: number) => PersonTruth
  /** Everybody in turn; memory stays flat. */
  people: () => Generator<PersonTruth, void, void>
  /** One pass over everybody. */
  totals: () => Totals
}

const never = (at: number): Instant => (Number.isFinite(at) ? at : null)

const orderTruth = (life: Life, order: Order): OrderTruth => {
  const receipt = life.episodes.find(episode => episode.kind === 'receipt' && episode.order === order)
  const isKnownInStore =
    receipt?.kind === 'receipt' && (receipt.cardToken !== null || receipt.loyaltyId !== null || receipt.email === 'own')
  return {
    orderId: order.id,
    person: life.person.index,
    at: order.at,
    cause: order.cause,
    place: order.place,
    groupId: order.groupId,
    voucher: order.voucher,
    lines: order.lines.map(line => ({
      productId: line.product.id,
      category: line.product.category,
      quantity: line.quantity,
      priceMinor: line.priceMinor,
      costMinor: line.costMinor,
      discountMinor: line.discountMinor,
      returnedQuantity: line.returnedQuantity,
    })),
    discountMinor: order.discountMinor,
    revenueMinor: order.subtotalMinor,
    shippingMinor: order.shippingMinor,
    taxMinor: order.taxMinor,
    totalMinor: order.totalMinor,
    refund: order.refund,
    profitMinor: profitOf(order),
    isIdentifiable: order.place === 'online' || isKnownInStore,
  }
}

const sharesOf = (life: Life): Record<Category, number> => {
  const shares = categoryShares(life.person)
  return Object.fromEntries(categories.map((category, index) => [category, shares[index] ?? 0])) as Record<
    Category,
    number
  >
}

const purchaseTruth = (life: Life): PersonTruth['purchase'] => {
  const { process } = life
  return {
    firstChannel: process.firstChannel,
    conversionProbability: process.conversionProbability,
    isBuyer: process.isBuyer,
    ratePerWeek: process.ratePerWeek,
    dropoutProbability: process.dropoutProbability,
    firstOrderAt: process.orders[0]?.at ?? null,
    leftAt: process.leftAt,
    badExperiences: process.orders
      .filter(order => order.experience !== 'good')
      .map(order => ({ at: order.at, solved: order.experience === 'bad-solved' })),
  }
}

const describeTruth = (life: Life): PersonTruth => {
  const { person } = life
  const { household, discountClass } = person
  const salesperson = salespersonOf(person)
  return {
    person: person.index,
    isExisting: person.isExisting,
    firstContactAt: person.joinAt,
    household: { id: household.id, members: household.members },
    employments: person.employments.map(job => ({ groupId: job.company.groupId, from: job.from, to: never(job.to) })),
    buysForCompany: person.buysForCompany,
    salespersonId: salesperson.id,
    demographics: {
      birthDate: person.birthDate,
      ageBand: person.ageBand,
      gender: person.gender,
      incomeBand: person.incomeBand,
      occupation: person.occupation,
      region: household.region.name,
      country: household.address.country,
      hasChildren: household.hasChildren,
    },
    identifiers: identifiersOf(life),
    devices: life.devices.map(({ kind, isShared, signsIn, skewMs, isBuggy }) => ({
      kind,
      isShared,
      signsIn,
      skewMs,
      isBuggy,
    })),
    accountAt: never(life.accountAt),
    secondAccountAt: never(life.secondAccountAt),
    aliasAt: never(life.aliasAt),
    subscribedAt: never(life.subscribedAt),
    unsubscribedAt: never(life.unsubscribedAt),
    categoryShares: sharesOf(life),
    discountClass,
    heldOutOfDisplay: person.heldOutOfDisplay,
    effects: {
      mailPlain: mailEffect('promotion', 'plain', discountClass),
      mailDiscount: mailEffect('promotion', 'discount', discountClass),
      newsletter: mailEffect('newsletter', 'plain', discountClass),
      connectedCall: callEffect(person, salesperson),
    },
    purchase: purchaseTruth(life),
    treatments: life.treatments.map(treatment => ({
      campaignId: treatment.campaign.id,
      kind: treatment.campaign.kind,
      arm: treatment.arm,
      at: treatment.at,
      expectedOrders: treatment.effect,
      caused: treatment.caused,
    })),
    touches: life.touches.map(({ channel, at, effect, caused }) => ({ channel, at, expectedOrders: effect, caused })),
    orders: life.orders.map(order => orderTruth(life, order)),
  }
}

const causeName = (cause: Cause): string => {
  if (cause.kind === 'own') return 'own'
  return cause.kind === 'channel' ? `channel:${cause.channel}` : `${cause.kind}:${cause.arm}`
}

const addEffect = (
  sums: Record<string, Effect>,
  name: string,
  one: { expectedOrders: number; caused: boolean },
): void => {
  const sum = sums[name] ?? { times: 0, expectedOrders: 0, causedOrders: 0 }
  sum.times += 1
  sum.expectedOrders += one.expectedOrders
  sum.causedOrders += one.caused ? 1 : 0
  sums[name] = sum
}

const addUp = (people: Iterable<PersonTruth>): Totals => {
  const totals: Totals = {
    people: 0,
    buyers: 0,
    orders: 0,
    revenueMinor: 0,
    profitMinor: 0,
    ordersByCause: {},
    campaigns: {},
    channels: {},
  }
  for (const person of people) {
    totals.people += 1
    if (person.purchase.isBuyer) totals.buyers += 1
    for (const order of person.orders) {
      const name = causeName(order.cause)
      totals.orders += 1
      totals.revenueMinor += order.revenueMinor
      totals.profitMinor += order.profitMinor
      totals.ordersByCause[name] = (totals.ordersByCause[name] ?? 0) + 1
    }
    for (const treatment of person.treatments) {
      addEffect(totals.campaigns, `${treatment.campaignId}:${treatment.arm}`, treatment)
    }
    for (const touch of person.touches) addEffect(totals.channels, touch.channel, touch)
  }
  return totals
}

/** The truth behind `simulate(options)`; give it the same options. `endAt` does not matter: truth covers all days. */
export const truth = (options: SimulationOptions): Truth => {
  const world = createWorld(options)
  const lives = new LifeCache(world)
  const person = (index: number): PersonTruth => {
    if (!(Number.isInteger(index) && index >= 0 && index < world.people))
      throw new RangeError(`nobody is number ${index}`)
    return describeTruth(lives.life(index))
  }
  const people = function* (): Generator<PersonTruth, void, void> {
    for (let index = 0; index < world.people; index += 1) yield person(index)
  }
  const callOf = (messageId: string): CallTruth | undefined => {
    const origin = openCall(world.key, messageId)
    if (!origin || (origin.person ?? 0) >= world.people) return undefined
    if (origin.person === null) return { person: null, episode: 'catalogue', at: null, orderId: null }
    const episode = lives.life(origin.person).episodes[origin.episode]
    if (!episode) return undefined
    const order = 'order' in episode ? episode.order : null
    return { person: origin.person, episode: episode.kind, at: episode.at, orderId: order?.id ?? null }
  }
  return {
    planted,
    salespeople,
    stores,
    campaigns: world.campaigns,
    products: world.catalogue.products.map(product => ({
      productId: product.id,
      sku: product.sku,
      name: product.name,
      category: product.category,
      launchAt: product.launchAt || null,
      prices: product.prices,
    })),
    personalMailDomains,
    junkIdentifiers,
    personOf: messageId => {
      const origin = openCall(world.key, messageId)
      return origin && (origin.person ?? 0) < world.people ? origin.person : undefined
    },
    callOf,
    person,
    people,
    totals: () => addUp(people()),
  }
}
