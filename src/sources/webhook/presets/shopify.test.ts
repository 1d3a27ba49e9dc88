import { describe, expect, test } from 'vitest'
import { deliver, namedBy } from '../../../../test/webhook-delivery.ts'
import type { JsonObject } from '../../../spec/json.ts'
import { shopifyPreset } from './shopify.ts'

/** Headers as Shopify sends them. */
const headers = (topic: string, eventId = '98880550-7158-44d4-b7cd-2c97c8a091b5') => ({
  'X-Shopify-Topic': topic,
  'X-Shopify-Shop-Domain': 'northwind-test.myshopify.com',
  'X-Shopify-API-Version': '2025-10',
  'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  'X-Shopify-Event-Id': eventId,
  'X-Shopify-Triggered-At': '2026-01-05T09:15:03.123456789Z',
})
const money = (amount: string): JsonObject => ({
  shop_money: { amount, currency_code: 'EUR' },
  presentment_money: { amount, currency_code: 'EUR' },
})
const addressOf = (first: string): JsonObject => ({
  first_name: first,
  last_name: 'Example',
  address1: 'Hafenstr. 1',
  address2: null,
  phone: null,
  city: 'Berlin',
  zip: '10115',
  province: null,
  province_code: null,
  country: 'Germany',
  country_code: 'DE',
  company: null,
})

const order: JsonObject = {
  // Longer than a number keeps: `readWebhookBody` hands such ids on as texts.
  id: '820982911946154508',
  admin_graphql_api_id: 'gid://shopify/Order/820982911946154508',
  name: '#1001',
  order_number: 1001,
  test: false,
  created_at: '2026-01-05T10:15:00+01:00',
  updated_at: '2026-01-05T10:16:00+01:00',
  processed_at: '2026-01-05T10:15:00+01:00',
  email: 'grace@example.com',
  contact_email: 'grace@example.com',
  phone: null,
  currency: 'EUR',
  presentment_currency: 'EUR',
  total_price: '64.80',
  subtotal_price: '55.00',
  total_tax: '9.56',
  total_discounts: '5.00',
  total_tip_received: '0.00',
  total_shipping_price_set: money('4.90'),
  taxes_included: true,
  discount_codes: [{ code: 'WELCOME5', amount: '5.00', type: 'fixed_amount' }],
  note_attributes: [
    { name: 'gift', value: 'yes' },
    { name: 'ajs_anonymous_id', value: 'anon-1' },
  ],
  checkout_token: 'checkout-1',
  source_name: 'web',
  financial_status: 'paid',
  landing_site: '/products/tea',
  referring_site: 'https://search.example.com/',
  client_details: { browser_ip: '192.0.2.10', user_agent: 'Mozilla/5.0', accept_language: 'de' },
  payment_gateway_names: ['shopify_payments'],
  customer: {
    id: '115310627314723954',
    email: 'grace@example.com',
    first_name: 'Grace',
    last_name: 'Example',
    phone: '+4930901821',
    default_address: addressOf('Grace'),
  },
  billing_address: addressOf('Grace'),
  shipping_address: addressOf('Grace'),
  line_items: [
    {
      id: 1,
      product_id: 11,
      variant_id: 111,
      sku: 'TEA-1',
      title: 'Tea',
      name: 'Tea - 100 g',
      variant_title: '100 g',
      vendor: 'Northwind',
      quantity: 2,
      price: '30.00',
      total_discount: '0.00',
      discount_allocations: [{ amount: '3.00' }, { amount: '2.00' }],
    },
    {
      id: 2,
      product_id: null,
      variant_id: null,
      sku: null,
      title: 'Gift wrap',
      vendor: null,
      quantity: 1,
      price: '0.00',
      total_discount: '0.00',
      discount_allocations: [],
    },
  ],
}

const totals = {
  affiliation: 'northwind-test.myshopify.com',
  total: 64.8,
  revenue: 50.34,
  subtotal: 50.34,
  tax: 9.56,
  shipping: 4.9,
  discount: 5,
  currency: 'EUR',
  coupon: 'WELCOME5',
  products: [
    {
      product_id: '11',
      variant_id: '111',
      sku: 'TEA-1',
      name: 'Tea',
      variant: '100 g',
      brand: 'Northwind',
      price: 30,
      quantity: 2,
      discount: 5,
      line_id: '1',
    },
    { name: 'Gift wrap', price: 0, quantity: 1, discount: 0, line_id: '2' },
  ],
}
const buyer = [
  'anonymous_id:anon-1',
  'email:grace@example.com',
  'phone:+4930901821',
  'shopify_customer_id:115310627314723954',
]

describe('orders/create', () => {
  test('is an order of the customer and of the visit that led to it', () => {
    const { events, rejects } = deliver(shopifyPreset, order, headers('orders/create'))
    expect(rejects).toEqual([])
    const [person, completed] = events
    expect(events).toHaveLength(2)
    expect(person).toMatchObject({ type: 'identify', anonymousId: 'anon-1', timestamp: '2026-01-05T09:15:00.000Z' })
    expect(person?.traits).toEqual({
      email: 'grace@example.com',
      phone: '+4930901821',
      firstName: 'Grace',
      lastName: 'Example',
      address: { street: 'Hafenstr. 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
    })
    expect(completed).toMatchObject({
      type: 'track',
      event: 'Order Completed',
      timestamp: '2026-01-05T09:15:00.000Z',
      context: { ip: '192.0.2.10', userAgent: 'Mozilla/5.0' },
    })
    expect(completed?.properties).toEqual({
      order_id: '820982911946154508',
      order_number: '#1001',
      checkout_id: 'checkout-1',
      channel: 'web',
      payment_status: 'paid',
      landing_site: '/products/tea',
      referring_site: 'https://search.example.com/',
      ...totals,
    })
    for (const event of events) expect(namedBy(shopifyPreset, event)).toEqual(buyer)
  })

  test('rung up in a store without a customer belongs to nobody, and counts', () => {
    const walkIn = {
      ...order,
      email: '',
      contact_email: null,
      phone: null,
      customer: null,
      billing_address: null,
      note_attributes: [],
      source_name: 'pos',
    }
    const { events, rejects } = deliver(shopifyPreset, walkIn, headers('orders/create'))
    expect([events.map(event => event.event), rejects]).toEqual([['Order Completed'], []])
    expect(namedBy(shopifyPreset, events[0])).toEqual([])
  })

  test('of a test order is left out', () => {
    expect(deliver(shopifyPreset, { ...order, test: true }, headers('orders/create')).ignored).toBe('no_rule_matched')
  })

  test('delivered by two subscriptions is one order', () => {
    const ids = (eventId: string) =>
      deliver(shopifyPreset, order, headers('orders/create', eventId)).events.map(event => event.messageId)
    expect(ids('another-event')).toEqual(ids('98880550-7158-44d4-b7cd-2c97c8a091b5'))
  })
})

describe('orders/paid', () => {
  test('is a payment of the same order, without revenue', () => {
    const { events } = deliver(shopifyPreset, order, headers('orders/paid'))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'track',
      event: 'Payment Succeeded',
      timestamp: '2026-01-05T09:15:03.123Z',
    })
    expect(events[0]?.properties).toEqual({
      order_id: '820982911946154508',
      order_number: '#1001',
      amount: 64.8,
      currency: 'EUR',
      gateway: 'shopify_payments',
    })
    expect(namedBy(shopifyPreset, events[0])).toEqual(buyer)
  })
})

describe('refunds/create', () => {
  const refund: JsonObject = {
    id: '890088186047892319',
    order_id: '820982911946154508',
    created_at: '2026-01-09T12:00:00+01:00',
    processed_at: '2026-01-09T12:00:05+01:00',
    note: 'Too small',
    user_id: 548380009,
    restock: true,
    order_adjustments: [],
    refund_line_items: [
      {
        id: 1,
        line_item_id: 1,
        quantity: 1,
        restock_type: 'return',
        subtotal: 27.5,
        total_tax: 4.39,
        line_item: {
          id: 1,
          product_id: 11,
          variant_id: 111,
          sku: 'TEA-1',
          title: 'Tea',
          variant_title: '100 g',
          vendor: 'Northwind',
          price: '30.00',
        },
      },
    ],
    transactions: [
      { id: 1, kind: 'refund', status: 'success', amount: '20.10', currency: 'EUR' },
      { id: 2, kind: 'refund', status: 'success', amount: '7.40', currency: 'EUR' },
      { id: 3, kind: 'refund', status: 'failure', amount: '99.00', currency: 'EUR' },
      { id: 4, kind: 'void', status: 'success', amount: '5.00', currency: 'EUR' },
    ],
  }

  test('is what went back, of an order; the payload names nobody', () => {
    const { events, rejects } = deliver(shopifyPreset, refund, headers('refunds/create'))
    expect(rejects).toEqual([])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Order Refunded', timestamp: '2026-01-09T11:00:05.000Z' })
    expect(events[0]?.properties).toEqual({
      order_id: '820982911946154508',
      refund_id: '890088186047892319',
      affiliation: 'northwind-test.myshopify.com',
      total: 27.5,
      tax: 4.39,
      currency: 'EUR',
      reason: 'Too small',
      products: [
        {
          product_id: '11',
          variant_id: '111',
          sku: 'TEA-1',
          name: 'Tea',
          variant: '100 g',
          brand: 'Northwind',
          price: 30,
          quantity: 1,
          subtotal: 27.5,
          restock_type: 'return',
          line_id: '1',
        },
      ],
    })
    expect(namedBy(shopifyPreset, events[0])).toEqual([])
  })

  test('of goods without money is a refund of nothing', () => {
    const { events } = deliver(shopifyPreset, { ...refund, transactions: [] }, headers('refunds/create'))
    expect(events[0]?.properties?.total).toBe(0)
  })
})

describe('checkouts/create', () => {
  const checkout: JsonObject = {
    id: '981820079255243537',
    token: 'checkout-1',
    cart_token: 'cart-1',
    created_at: '2026-01-05T10:05:00+01:00',
    updated_at: '2026-01-05T10:05:00+01:00',
    email: null,
    phone: null,
    currency: 'EUR',
    presentment_currency: 'EUR',
    total_price: '64.80',
    total_tax: '9.56',
    total_discounts: '5.00',
    subtotal_price: '55.00',
    shipping_lines: [{ price: '4.90', title: 'Parcel' }],
    discount_codes: [{ code: 'WELCOME5', amount: '5.00', type: 'fixed_amount' }],
    note_attributes: [{ name: 'ajs_anonymous_id', value: 'anon-1' }],
    source_name: 'web',
    landing_site: '/products/tea',
    referring_site: '',
    abandoned_checkout_url: 'https://northwind-test.myshopify.com/checkouts/1/recover',
    customer: null,
    line_items: (order.line_items as JsonObject[]).map(({ id, ...line }) => ({ ...line, key: `line-${id}` })),
  }

  test('is a checkout started in a browser, joined to its order by its token', () => {
    const { events } = deliver(shopifyPreset, checkout, headers('checkouts/create'))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Checkout Started', timestamp: '2026-01-05T09:05:00.000Z' })
    expect(events[0]?.properties).toEqual({
      checkout_id: 'checkout-1',
      cart_id: 'cart-1',
      channel: 'web',
      landing_site: '/products/tea',
      url: 'https://northwind-test.myshopify.com/checkouts/1/recover',
      value: 64.8,
      ...totals,
      products: totals.products.map(({ line_id: _, ...product }) => product),
    })
    expect(namedBy(shopifyPreset, events[0])).toEqual(['anonymous_id:anon-1'])
  })
})

describe('customers', () => {
  const customer: JsonObject = {
    id: '706405506930370084',
    email: 'grace@example.com',
    first_name: 'Grace',
    last_name: 'Example',
    phone: null,
    state: 'enabled',
    note: null,
    tags: 'vip, tea',
    verified_email: true,
    created_at: '2025-12-01T09:00:00+01:00',
    updated_at: '2026-01-05T10:16:00+01:00',
    default_address: { ...addressOf('Grace'), phone: '+4930901821', company: 'Northwind' },
    email_marketing_consent: { state: 'subscribed', opt_in_level: 'single_opt_in' },
    sms_marketing_consent: { state: 'not_subscribed' },
  }

  test.each(['customers/create', 'customers/update'])('%s is what is known of the person', topic => {
    const { events } = deliver(shopifyPreset, customer, headers(topic))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'identify', timestamp: '2026-01-05T09:15:03.123Z' })
    expect(events[0]?.traits).toEqual({
      email: 'grace@example.com',
      phone: '+4930901821',
      firstName: 'Grace',
      lastName: 'Example',
      company: 'Northwind',
      address: { street: 'Hafenstr. 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
      createdAt: '2025-12-01T08:00:00.000Z',
      tags: 'vip, tea',
      emailMarketingState: 'subscribed',
      smsMarketingState: 'not_subscribed',
    })
    expect(namedBy(shopifyPreset, events[0])).toEqual([
      'email:grace@example.com',
      'phone:+4930901821',
      'shopify_customer_id:706405506930370084',
    ])
  })

  test('updated twice are two events, delivered twice one', () => {
    const id = (eventId: string) =>
      deliver(shopifyPreset, customer, headers('customers/update', eventId)).events[0]?.messageId
    expect(id('event-1')).toBe(id('event-1'))
    expect(id('event-1')).not.toBe(id('event-2'))
  })
})

test('a topic that was not asked for is ignored', () =>
  expect(deliver(shopifyPreset, order, headers('orders/cancelled')).ignored).toBe('no_rule_matched'))
