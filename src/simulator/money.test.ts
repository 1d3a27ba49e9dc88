import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../spec/json.ts'
import type { SegmentCall } from './calls.ts'
import { amount } from './catalogue.ts'
import { simulate, truth } from './index.ts'
import { percentOf, shareOut } from './orders.ts'
import type { OrderTruth } from './truth.ts'

const options = { seed: 5, people: 2500, startAt: Date.UTC(2024, 11, 1), days: 200 }
const taxPercents: Record<string, number> = { Sweden: 25, Germany: 19, France: 20, 'United Kingdom': 20 }

const cents = (value: unknown): number => {
  // Two decimals at most in the JSON text, then exact in whole cents.
  expect(JSON.stringify(value)).toMatch(/^\d+(\.\d{1,2})?$/)
  return Math.round(Number(value) * 100)
}

const orders = new Map<string, SegmentCall>()
const refunds = new Map<string, SegmentCall>()
const prices = new Map<string, { at: string; price: number; cost: number }[]>()
const truths = new Map<string, OrderTruth & { country: string }>()

beforeAll(() => {
  for (const { call } of simulate(options)) {
    const id = String(call.properties?.order_id)
    if (call.event === 'Order Completed') orders.set(id, call)
    if (call.event === 'Order Refunded') refunds.set(id, call)
    if (call.event === 'Product Updated') {
      const product = String(call.properties?.product_id)
      const point = { at: call.timestamp, price: cents(call.properties?.price), cost: cents(call.properties?.cost) }
      prices.set(
        product,
        [...(prices.get(product) ?? []), point].sort((a, b) => (a.at < b.at ? -1 : 1)),
      )
    }
  }
  for (const person of truth(options).people()) {
    for (const order of person.orders) truths.set(order.orderId, { ...order, country: person.demographics.country })
  }
})

const products = (call: SegmentCall): JsonObject[] => (call.properties?.products ?? []) as JsonObject[]

describe('money', () => {
  test('adds up to the cent in every order', () => {
    expect(orders.size).toBeGreaterThan(1000)
    for (const [id, call] of orders) {
      const properties = call.properties ?? {}
      const gross = products(call).reduce((sum, line) => sum + cents(line.price) * Number(line.quantity), 0)
      const discount = products(call).reduce((sum, line) => sum + cents(line.discount), 0)
      expect(cents(properties.discount)).toBe(discount)
      expect(cents(properties.subtotal)).toBe(gross - discount)
      expect(cents(properties.revenue)).toBe(gross - discount)
      const percent = taxPercents[truths.get(id)?.country ?? ''] ?? 0
      expect(cents(properties.tax)).toBe(percentOf(gross - discount, percent))
      const total = gross - discount + cents(properties.shipping) + cents(properties.tax)
      expect(cents(properties.total)).toBe(total)
    }
  })

  test('agrees with the truth, order by order and refund by refund, with none missing and none invented', () => {
    expect([...orders.keys()].sort()).toEqual([...truths.keys()].sort())
    const horizon = options.startAt + options.days * 86_400_000
    for (const [id, order] of truths) {
      const properties = orders.get(id)?.properties ?? {}
      expect(cents(properties.total)).toBe(order.totalMinor)
      expect(cents(properties.revenue)).toBe(order.revenueMinor)
      expect(Date.parse(orders.get(id)?.timestamp ?? '')).toBe(order.at)
      const isRefunded = order.refund !== null && order.refund.at < horizon
      expect(refunds.has(id)).toBe(isRefunded)
      if (isRefunded) expect(cents(refunds.get(id)?.properties?.total)).toBe(order.refund?.totalMinor)
    }
    expect(refunds.size).toBeGreaterThan(100)
  })

  test('gives back at most what was paid, with the tax of the pieces', () => {
    for (const [id, call] of refunds) {
      const order = truths.get(id)
      const properties = call.properties ?? {}
      expect(cents(properties.total)).toBe(cents(properties.revenue) + cents(properties.tax))
      expect(cents(properties.revenue)).toBeLessThanOrEqual(order?.revenueMinor ?? 0)
      const net = products(call).reduce(
        (sum, line) => sum + cents(line.price) * Number(line.quantity) - cents(line.discount),
        0,
      )
      expect(cents(properties.revenue)).toBe(net)
    }
  })

  test('has each line at the price that the catalogue last announced, and profit at its cost', () => {
    let changed = 0
    for (const [id, order] of truths) {
      let profit = 0
      for (const line of order.lines) {
        const known = prices.get(line.productId) ?? []
        const at = new Date(order.at).toISOString()
        const inForce = known.findLast(point => point.at <= at)
        // The catalogue itself takes its first seconds to arrive.
        if (order.at > options.startAt + 60_000) {
          expect([id, inForce?.price, inForce?.cost]).toEqual([id, line.priceMinor, line.costMinor])
        }
        if (inForce !== known[0]) changed += 1
        const back = Math.floor((line.discountMinor * line.returnedQuantity) / line.quantity)
        const kept = line.quantity - line.returnedQuantity
        profit += kept * (line.priceMinor - line.costMinor) - line.discountMinor + back
      }
      expect(order.profitMinor).toBe(profit)
    }
    expect(changed).toBeGreaterThan(50)
  })
})

describe('exact sharing', () => {
  test('gives parts that sum to the whole, each within one of its exact share', () => {
    const weights = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(fc.nat(5_000_000), weights, (total, given) => {
        const parts = shareOut(total, given)
        const sum = given.reduce((all, weight) => all + weight, 0)
        expect(parts.reduce((all, part) => all + part, 0)).toBe(sum === 0 ? 0 : total)
        parts.forEach((part, index) => {
          if (sum > 0) expect(Math.abs(part - (total * (given[index] ?? 0)) / sum)).toBeLessThan(1)
        })
      }),
    )
  })

  test('prints whole cents as decimals that read back the same', () => {
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), minor => cents(amount(minor)) === minor))
    expect(JSON.stringify(amount(1990))).toBe('19.9')
    expect(percentOf(2, 25)).toBe(1)
    expect(percentOf(1, 25)).toBe(0)
  })
})
