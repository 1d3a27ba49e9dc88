/**
 * In: a person, an instant and a voucher. Out: an order with its lines, money and returns, in whole minor units, so that
 * every sum is exact. Prices are without tax:
 *
 *     subtotal = Σ price × quantity − discount        (also the revenue)
 *     tax      = the country's rate on the subtotal, half a cent up
 *     total    = subtotal + shipping + tax
 *
 * The discount is shared out over the lines by largest remainder. A refund gives back what the returned pieces cost
 * after discount, with tax; never shipping.
 */
import { type Product, priceAt } from './catalogue.ts'
import { countries } from './name-data.ts'
import { employmentAt, type Person } from './people.ts'
import { type Channel, DAY_MS, planted } from './planted.ts'
import { purposes, Stream, scramble } from './random.ts'
import type { World } from './world.ts'

/** Orders per person; together with PEOPLE_MAX it fits the 32 bits of an order number. */
export const ORDERS_MAX = 1024
const ORDER_NUMBER_KEY = 0x4e57

/** Why an order exists. `own` orders would have been placed anyway. */
export type Cause =
  | { kind: 'own' }
  | { kind: 'channel'; channel: Channel }
  | { kind: 'mail' | 'call'; campaignId: string; arm: 'plain' | 'discount' }

export interface OrderLine {
  product: Product
  quantity: number
  priceMinor: number
  costMinor: number
  discountMinor: number
  returnedQuantity: number
}

export interface Refund {
  at: number
  /** Of the returned pieces, after discount, without tax. */
  revenueMinor: number
  taxMinor: number
  totalMinor: number
}

export interface Order {
  /** Position among the person's orders of the simulated days. */
  number: number
  id: string
  at: number
  cause: Cause
  place: 'online' | 'store'
  groupId: string | null
  lines: readonly OrderLine[]
  voucher: string | null
  discountMinor: number
  subtotalMinor: number
  shippingMinor: number
  taxMinor: number
  totalMinor: number
  refund: Refund | null
}

export interface OrderDraft {
  at: number
  cause: Cause
  place: 'online' | 'store'
  voucher: { code: string; percent: number } | null
}

/** `minor` × `percent` / 100, half a cent up: exact, since both are whole. */
export const percentOf = (minor: number, percent: number): number => Math.floor((minor * percent + 50) / 100)

/** Parts in proportion to `weights` that sum to `total` exactly: largest remainder, the first on a tie. */
export const shareOut = (total: number, weights: readonly number[]): number[] => {
  const sum = weights.reduce((all, weight) => all + weight, 0)
  if (sum === 0) return weights.map(() => 0)
  const parts = weights.map(weight => Math.floor((total * weight) / sum))
  const left = total - parts.reduce((all, part) => all + part, 0)
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (const { index } of byRemainder.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1
  return parts
}

const drawLines = (world: World, person: Person, at: number, stream: Stream): OrderLine[] => {
  const { anotherLine, anotherUnit, companyAnotherUnit, linesMax, unitsMax } = planted.orders
  const forCompany = person.buysForCompany && employmentAt(person, at) !== null
  const lines = new Map<number, OrderLine>()
  const take = (product: Product): void => {
    if (lines.has(product.index) || product.launchAt > at) return
    const quantity = 1 + stream.geometric(forCompany ? companyAnotherUnit : anotherUnit, unitsMax - 1)
    const { priceMinor, costMinor } = priceAt(product, at)
    lines.set(product.index, { product, quantity, priceMinor, costMinor, discountMinor: 0, returnedQuantity: 0 })
    const companion = world.catalogue.companions.get(product.index)
    if (companion && stream.chance(companion.probability)) take(companion.take)
  }
  const wanted = 1 + stream.geometric(anotherLine, linesMax - 1)
  for (let count = 0; count < wanted; count += 1) take(world.assortment.draw(stream, person, at))
  return [...lines.values()]
}

const netOf = (line: OrderLine, quantity: number): number =>
  line.priceMinor * quantity - Math.floor((line.discountMinor * quantity) / line.quantity)

const drawRefund = (lines: OrderLine[], taxPercent: number, at: number, stream: Stream): Refund | null => {
  const { from, to } = planted.orders.returnAfterDays
  let revenueMinor = 0
  for (const line of lines) {
    if (!stream.chance(planted.orders.returnShares[line.product.category])) continue
    line.returnedQuantity = stream.chance(0.8) ? line.quantity : 1 + stream.below(line.quantity)
    revenueMinor += netOf(line, line.returnedQuantity)
  }
  if (revenueMinor === 0) return null
  const taxMinor = percentOf(revenueMinor, taxPercent)
  const refundedAt = Math.floor(at + stream.between(from, to) * DAY_MS)
  return { at: refundedAt, revenueMinor, taxMinor, totalMinor: revenueMinor + taxMinor }
}

const orderId = (world: World, person: Person, number: number): string =>
  `NW-${scramble(person.index * ORDERS_MAX + number, world.key.low ^ ORDER_NUMBER_KEY)}`

/** The order with this number: the same lines for the same person, number, instant and voucher. */
export const buildOrder = (world: World, person: Person, number: number, draft: OrderDraft): Order => {
  const stream = new Stream(world.key, purposes.basket, person.index, number)
  const lines = drawLines(world, person, draft.at, stream)
  const gross = lines.map(line => line.priceMinor * line.quantity)
  const grossMinor = gross.reduce((sum, minor) => sum + minor, 0)
  const discountMinor = draft.voucher ? percentOf(grossMinor, draft.voucher.percent) : 0
  shareOut(discountMinor, gross).forEach((minor, index) => {
    const line = lines[index]
    if (line) line.discountMinor = minor
  })
  const subtotalMinor = grossMinor - discountMinor
  const { freeShippingFromMinor, shippingMinor: fee } = planted.orders
  const shippingMinor = draft.place === 'store' || subtotalMinor >= freeShippingFromMinor ? 0 : fee
  const { taxPercent } = countries[person.household.region.country]
  const taxMinor = percentOf(subtotalMinor, taxPercent)
  return {
    number,
    id: orderId(world, person, number),
    at: draft.at,
    cause: draft.cause,
    place: draft.place,
    groupId: person.buysForCompany ? (employmentAt(person, draft.at)?.company.groupId ?? null) : null,
    lines,
    voucher: draft.voucher?.code ?? null,
    discountMinor,
    subtotalMinor,
    shippingMinor,
    taxMinor,
    totalMinor: subtotalMinor + shippingMinor + taxMinor,
    refund: drawRefund(lines, taxPercent, draft.at, stream),
  }
}

/** What the shop truly earns from an order: revenue less cost of goods, less what was refunded; returned goods go back on the shelf. */
export const profitOf = (order: Order): number => {
  let profit = 0
  for (const line of order.lines) {
    const kept = line.quantity - line.returnedQuantity
    profit += netOf(line, line.quantity) - netOf(line, line.returnedQuantity) - line.costMinor * kept
  }
  return profit
}
