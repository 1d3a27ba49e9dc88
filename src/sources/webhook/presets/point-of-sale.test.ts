import { describe, expect, test } from 'vitest'
import { deliver, namedBy } from '../../../../test/webhook-delivery.ts'
import type { JsonObject } from '../../../spec/json.ts'
import { pointOfSalePreset } from './point-of-sale.ts'

const receipt: JsonObject = {
  receipt_id: 42,
  type: 'sale',
  store_id: 'S1',
  store_name: 'Northwind Harbour Street',
  till_id: 'T2',
  cashier_id: 'C9',
  closed_at: '2026-01-05T16:20:00+01:00',
  currency: 'eur',
  lines: [
    {
      sku: 'TEA-1',
      product_id: 'p-1',
      name: 'Tea',
      category: 'Drinks',
      brand: 'Northwind',
      quantity: 2,
      unit_price: 4.5,
      discount: 0.9,
      tax: 1.29,
      total: 8.1,
    },
    { sku: 'CUP-3', name: 'Cup', quantity: 1, unit_price: '11.90', tax: 1.9, total: '11.90' },
  ],
  subtotal: 16.81,
  discount: 0.9,
  tax: 3.19,
  total: 20,
  tenders: [
    { type: 'gift_card', amount: 5 },
    { type: 'card', amount: 15, card_token: 'tok_1', card_brand: 'visa', card_last4: '4242' },
  ],
  loyalty_id: 'L-1001',
  customer: { email: 'ada@example.com', phone: null },
}
const cash = { ...receipt, tenders: [{ type: 'cash', amount: 20 }], loyalty_id: null, customer: null }

describe('a receipt', () => {
  test('is an order with its lines, of the cards that were shown', () => {
    const { events, rejects } = deliver(pointOfSalePreset, receipt)
    expect(rejects).toEqual([])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Order Completed', timestamp: '2026-01-05T15:20:00.000Z' })
    expect(events[0]?.properties).toEqual({
      order_id: '42',
      receipt_id: '42',
      affiliation: 'Northwind Harbour Street',
      channel: 'store',
      store_id: 'S1',
      till_id: 'T2',
      cashier_id: 'C9',
      currency: 'EUR',
      payment_methods: ['gift_card', 'card'],
      total: 20,
      revenue: 16.81,
      subtotal: 16.81,
      tax: 3.19,
      discount: 0.9,
      tenders: [
        { type: 'gift_card', amount: 5 },
        { type: 'card', amount: 15, card_brand: 'visa', card_last4: '4242' },
      ],
      products: [
        {
          product_id: 'p-1',
          sku: 'TEA-1',
          name: 'Tea',
          category: 'Drinks',
          brand: 'Northwind',
          price: 4.5,
          quantity: 2,
          discount: 0.9,
          tax: 1.29,
          total: 8.1,
        },
        { product_id: 'CUP-3', sku: 'CUP-3', name: 'Cup', price: 11.9, quantity: 1, tax: 1.9, total: 11.9 },
      ],
    })
    expect(namedBy(pointOfSalePreset, events[0])).toEqual([
      'card_token:tok_1',
      'email:ada@example.com',
      'loyalty_id:l-1001',
    ])
  })

  test('paid by two cards is of both', () => {
    const two = {
      ...cash,
      tenders: [
        { type: 'card', card_token: 'tok_1' },
        { type: 'card', card_token: 'tok_2' },
      ],
    }
    expect(namedBy(pointOfSalePreset, deliver(pointOfSalePreset, two).events[0])).toEqual([
      'card_token:tok_1',
      'card_token:tok_2',
    ])
  })

  test('paid in cash by a stranger belongs to nobody, and counts', () => {
    const { events, rejects } = deliver(pointOfSalePreset, cash)
    expect([events.length, rejects.length]).toEqual([1, 0])
    expect(namedBy(pointOfSalePreset, events[0])).toEqual([])
    expect(events[0]?.context).not.toHaveProperty('externalIds')
    expect(events[0]?.properties?.total).toBe(20)
  })

  test('of the same number in another store is another', () => {
    const id = (body: JsonObject) => deliver(pointOfSalePreset, body).events[0]?.messageId
    expect(id({ ...receipt, store_id: 'S2' })).not.toBe(id(receipt))
    expect(id({ ...receipt, cashier_id: 'C1' })).toBe(id(receipt))
  })

  test('with an amount that is none is rejected, with the place', () => {
    const { rejects } = deliver(pointOfSalePreset, { ...receipt, total: '20,00' })
    expect(rejects[0]).toMatchObject({
      reason: 'invalid_webhook',
      faults: [{ at: 'event.properties.total', path: '$.total' }, {}],
    })
  })

  test('that was voided is left out', () =>
    expect(deliver(pointOfSalePreset, { ...receipt, type: 'VOID' }).ignored).toBe('no_rule_matched'))
})

describe('a return', () => {
  const back = (sign: number): JsonObject => ({
    ...receipt,
    receipt_id: 43,
    type: 'Return',
    original_receipt_id: 42,
    total: sign * 11.9,
    tax: sign * 1.9,
    lines: [{ sku: 'CUP-3', name: 'Cup', quantity: sign, unit_price: 11.9, total: sign * 11.9, reason: 'broken' }],
  })

  test.each([[1], [-1]])('written with sign %i is a refund of the order, in positive amounts', sign => {
    const { events } = deliver(pointOfSalePreset, back(sign))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Order Refunded' })
    expect(events[0]?.properties).toEqual({
      order_id: '42',
      receipt_id: '43',
      affiliation: 'Northwind Harbour Street',
      channel: 'store',
      store_id: 'S1',
      till_id: 'T2',
      cashier_id: 'C9',
      currency: 'EUR',
      payment_methods: ['gift_card', 'card'],
      total: 11.9,
      tax: 1.9,
      products: [
        { product_id: 'CUP-3', sku: 'CUP-3', name: 'Cup', price: 11.9, quantity: 1, total: 11.9, reason: 'broken' },
      ],
    })
    expect(namedBy(pointOfSalePreset, events[0])).toContain('loyalty_id:l-1001')
  })
})
