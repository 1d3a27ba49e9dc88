import { describe, expect, test } from 'vitest'
import { deliver, namedBy } from '../../../../test/webhook-delivery.ts'
import type { JsonObject } from '../../../spec/json.ts'
import { stripePreset } from './stripe.ts'

/** An event as Stripe wraps it; made-up ids and people. */
const stripeEvent = (type: string, object: JsonObject, more: JsonObject = {}, id = 'evt_1'): JsonObject => ({
  id,
  object: 'event',
  api_version: '2025-03-31.basil',
  created: 1767261600,
  livemode: true,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  type,
  data: { object, ...more },
})
const occurredAt = '2026-01-01T10:00:00.000Z'

const session: JsonObject = {
  id: 'cs_live_1',
  object: 'checkout.session',
  amount_subtotal: 5000,
  amount_total: 5545,
  client_reference_id: 'cart-77',
  created: 1767261500,
  currency: 'eur',
  customer: 'cus_1',
  customer_details: {
    address: { city: 'Berlin', country: 'DE', line1: 'Hafenstr. 1', line2: '2. OG', postal_code: '10115', state: null },
    email: 'ada@example.com',
    name: 'Ada Example',
    phone: '+4930901820',
    tax_exempt: 'none',
    tax_ids: [],
  },
  customer_email: null,
  invoice: null,
  livemode: true,
  metadata: { user_id: 'user-1' },
  mode: 'payment',
  payment_intent: 'pi_1',
  payment_status: 'paid',
  shipping_cost: null,
  status: 'complete',
  subscription: null,
  total_details: { amount_discount: 500, amount_shipping: 490, amount_tax: 555 },
}

describe('checkout.session.completed', () => {
  test('is an order of the person who checked out', () => {
    const { events, rejects } = deliver(stripePreset, stripeEvent('checkout.session.completed', session))
    expect(rejects).toEqual([])
    const [person, order] = events
    expect(events).toHaveLength(2)
    expect(person).toMatchObject({
      type: 'identify',
      userId: 'user-1',
      timestamp: occurredAt,
      traits: {
        email: 'ada@example.com',
        phone: '+4930901820',
        name: 'Ada Example',
        address: { street: 'Hafenstr. 1, 2. OG', city: 'Berlin', postalCode: '10115', country: 'DE' },
      },
    })
    expect(order?.properties).toEqual({
      order_id: 'pi_1',
      checkout_id: 'cs_live_1',
      affiliation: 'Stripe',
      total: 55.45,
      revenue: 45,
      subtotal: 45,
      tax: 5.55,
      shipping: 4.9,
      discount: 5,
      currency: 'EUR',
      mode: 'payment',
      client_reference_id: 'cart-77',
    })
    expect(order).toMatchObject({ type: 'track', event: 'Order Completed', userId: 'user-1', timestamp: occurredAt })
    for (const event of events) {
      expect(namedBy(stripePreset, event)).toEqual([
        'email:ada@example.com',
        'phone:+4930901820',
        'stripe_customer_id:cus_1',
        'user_id:user-1',
      ])
    }
  })

  test('of a guest is known by e-mail, and a cart’s id is nobody’s login', () => {
    const guest = { ...session, customer: null, metadata: {}, customer_details: { email: 'guest@example.com' } }
    const { events } = deliver(stripePreset, stripeEvent('checkout.session.completed', guest))
    expect(events.map(event => namedBy(stripePreset, event))).toEqual([
      ['email:guest@example.com'],
      ['email:guest@example.com'],
    ])
  })

  test('with expanded lines has products', () => {
    const lines = {
      data: [
        {
          description: 'Tea',
          quantity: 2,
          amount_discount: 500,
          price: { id: 'price_1', product: 'prod_1', unit_amount: 2500 },
        },
      ],
    }
    const { events } = deliver(
      stripePreset,
      stripeEvent('checkout.session.completed', { ...session, line_items: lines }),
    )
    expect(events[1]?.properties?.products).toEqual([
      { product_id: 'prod_1', sku: 'price_1', name: 'Tea', price: 25, quantity: 2, discount: 5 },
    ])
  })

  test('in a currency without minor units is not divided', () => {
    const yen = { ...session, currency: 'jpy', amount_total: 5545, total_details: { amount_tax: 45 } }
    const { events } = deliver(stripePreset, stripeEvent('checkout.session.completed', yen))
    expect(events[1]?.properties).toMatchObject({ total: 5545, revenue: 5500, tax: 45, currency: 'JPY' })
  })

  test('that is not paid yet is no order until it is; once', () => {
    const unpaid = { ...session, payment_status: 'unpaid' }
    expect(deliver(stripePreset, stripeEvent('checkout.session.completed', unpaid)).ignored).toBe('no_rule_matched')
    const later = deliver(stripePreset, stripeEvent('checkout.session.async_payment_succeeded', session, {}, 'evt_2'))
    const atOnce = deliver(stripePreset, stripeEvent('checkout.session.completed', session))
    expect(later.events[1]?.messageId).toBe(atOnce.events[1]?.messageId)
  })

  test('that only saves a card is no order', () => {
    const setup = { ...session, mode: 'setup', payment_status: 'no_payment_required' }
    expect(deliver(stripePreset, stripeEvent('checkout.session.completed', setup)).ignored).toBe('no_rule_matched')
  })
})

describe('payment_intent.succeeded', () => {
  const intent: JsonObject = {
    id: 'pi_1',
    object: 'payment_intent',
    amount: 5545,
    amount_received: 5545,
    currency: 'eur',
    customer: 'cus_1',
    description: 'Order 77',
    latest_charge: 'ch_1',
    metadata: {},
    payment_method_types: ['card'],
    receipt_email: 'ada@example.com',
    status: 'succeeded',
  }

  test('is a payment with an amount, and no revenue of its own', () => {
    const { events } = deliver(stripePreset, stripeEvent('payment_intent.succeeded', intent))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Payment Succeeded' })
    expect(events[0]?.properties).toEqual({
      payment_id: 'pi_1',
      order_id: 'pi_1',
      amount: 55.45,
      currency: 'EUR',
      description: 'Order 77',
      payment_method_types: ['card'],
    })
    expect(namedBy(stripePreset, events[0])).toEqual(['email:ada@example.com', 'stripe_customer_id:cus_1'])
  })

  test('of nobody known still counts', () => {
    const unknown = { ...intent, customer: null, receipt_email: null }
    const { events, rejects } = deliver(stripePreset, stripeEvent('payment_intent.succeeded', unknown))
    expect([events.length, rejects.length]).toEqual([1, 0])
    expect(namedBy(stripePreset, events[0])).toEqual([])
  })
})

describe('charge.refunded', () => {
  const charge: JsonObject = {
    id: 'ch_1',
    object: 'charge',
    amount: 5545,
    amount_captured: 5545,
    amount_refunded: 3000,
    billing_details: { email: 'ada@example.com', name: 'Ada Example', phone: null, address: {} },
    currency: 'eur',
    customer: 'cus_1',
    metadata: {},
    payment_intent: 'pi_1',
    receipt_email: null,
    refunded: false,
  }

  test('counts what this refund gave back, not what all have', () => {
    const refund = (previous: number) =>
      deliver(
        stripePreset,
        stripeEvent('charge.refunded', charge, { previous_attributes: { amount_refunded: previous } }),
      ).events[0]
    expect(refund(0)?.properties).toMatchObject({ total: 30, total_refunded: 30 })
    expect(refund(1000)?.properties).toEqual({
      order_id: 'pi_1',
      charge_id: 'ch_1',
      total: 20,
      total_refunded: 30,
      order_total: 55.45,
      is_full_refund: false,
      currency: 'EUR',
    })
    expect(refund(0)).toMatchObject({ type: 'track', event: 'Order Refunded' })
    expect(namedBy(stripePreset, refund(0))).toEqual(['email:ada@example.com', 'stripe_customer_id:cus_1'])
  })
})

describe('invoice.paid', () => {
  const invoice: JsonObject = {
    id: 'in_1',
    object: 'invoice',
    amount_due: 2380,
    amount_paid: 2380,
    billing_reason: 'subscription_cycle',
    currency: 'eur',
    customer: 'cus_1',
    customer_email: 'ada@example.com',
    customer_phone: null,
    metadata: {},
    number: 'A-0001',
    subtotal: 2000,
    total: 2380,
  }
  const expected = {
    invoice_id: 'in_1',
    invoice_number: 'A-0001',
    billing_reason: 'subscription_cycle',
    subscription_id: 'sub_1',
    amount: 23.8,
    subtotal: 20,
    tax: 3.8,
    currency: 'EUR',
    products: [{ product_id: 'prod_1', sku: 'price_1', name: '2 × Club', price: 10, quantity: 2, amount: 20 }],
  }

  test('since 2025 is read', () => {
    const basil = {
      ...invoice,
      parent: { type: 'subscription_details', subscription_details: { subscription: 'sub_1', metadata: {} } },
      total_taxes: [{ amount: 300 }, { amount: 80 }],
      lines: {
        data: [
          {
            amount: 2000,
            description: '2 × Club',
            quantity: 2,
            pricing: {
              type: 'price_details',
              unit_amount_decimal: '1000',
              price_details: { price: 'price_1', product: 'prod_1' },
            },
          },
        ],
      },
    }
    const { events } = deliver(stripePreset, stripeEvent('invoice.paid', basil))
    expect(events[0]).toMatchObject({ type: 'track', event: 'Invoice Paid' })
    expect(events[0]?.properties).toEqual(expected)
    expect(namedBy(stripePreset, events[0])).toEqual(['email:ada@example.com', 'stripe_customer_id:cus_1'])
  })

  test('in the form before is read the same', () => {
    const before = {
      ...invoice,
      subscription: 'sub_1',
      tax: 380,
      lines: {
        data: [
          {
            amount: 2000,
            description: '2 × Club',
            quantity: 2,
            price: { id: 'price_1', product: 'prod_1', unit_amount: 1000 },
          },
        ],
      },
    }
    expect(deliver(stripePreset, stripeEvent('invoice.paid', before)).events[0]?.properties).toEqual(expected)
  })
})

describe('customers', () => {
  const customer: JsonObject = {
    id: 'cus_1',
    object: 'customer',
    address: { city: 'Berlin', country: 'DE', line1: 'Hafenstr. 1', line2: null, postal_code: '10115', state: null },
    created: 1767000000,
    email: 'ada@example.com',
    metadata: { userId: 'user-1' },
    name: 'Ada Example',
    phone: '+4930901820',
    preferred_locales: ['de', 'en'],
  }

  test.each(['customer.created', 'customer.updated'])('%s is what is known of the person', type => {
    const { events } = deliver(stripePreset, stripeEvent(type, customer))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'identify', userId: 'user-1', timestamp: occurredAt })
    expect(events[0]?.traits).toEqual({
      email: 'ada@example.com',
      phone: '+4930901820',
      name: 'Ada Example',
      address: { street: 'Hafenstr. 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
      locale: 'de',
      createdAt: '2025-12-29T09:20:00.000Z',
    })
    expect(namedBy(stripePreset, events[0])).toContain('stripe_customer_id:cus_1')
  })
})

describe('customer.subscription.*', () => {
  const subscription: JsonObject = {
    id: 'sub_1',
    object: 'subscription',
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, reason: null },
    created: 1767000000,
    currency: 'usd',
    customer: 'cus_1',
    items: {
      object: 'list',
      data: [
        {
          id: 'si_1',
          current_period_end: 1769940000,
          quantity: 3,
          price: {
            id: 'price_1',
            nickname: 'Team',
            product: 'prod_1',
            unit_amount: 1999,
            recurring: { interval: 'month', interval_count: 1 },
          },
        },
      ],
    },
    metadata: {},
    status: 'active',
    trial_end: null,
  }

  test.each([
    ['customer.subscription.created', 'Subscription Started'],
    ['customer.subscription.updated', 'Subscription Updated'],
    ['customer.subscription.deleted', 'Subscription Cancelled'],
    ['customer.subscription.paused', 'Subscription Paused'],
    ['customer.subscription.resumed', 'Subscription Resumed'],
    ['customer.subscription.trial_will_end', 'Trial Ending'],
    ['customer.subscription.pending_update_applied', 'Subscription Updated'],
  ])('%s is %s', (type, name) => {
    const previous = { previous_attributes: { status: 'trialing' } }
    const { events } = deliver(stripePreset, stripeEvent(type, subscription, previous))
    expect(events.map(event => event.event)).toEqual([name])
    expect(events[0]?.properties).toEqual({
      subscription_id: 'sub_1',
      status: 'active',
      previous_status: 'trialing',
      product_id: 'prod_1',
      plan: 'Team',
      price: 19.99,
      quantity: 3,
      currency: 'USD',
      interval: 'month',
      interval_count: 1,
      current_period_end: '2026-02-01T10:00:00.000Z',
      cancel_at_period_end: false,
    })
    expect(namedBy(stripePreset, events[0])).toEqual(['stripe_customer_id:cus_1'])
  })

  test('of older API versions has its period on the subscription', () => {
    const older = { ...subscription, current_period_end: 1769940000, canceled_at: 1767261600, trial_end: 1767261600 }
    const { events } = deliver(stripePreset, stripeEvent('customer.subscription.deleted', older))
    expect(events[0]?.properties).toMatchObject({
      current_period_end: '2026-02-01T10:00:00.000Z',
      canceled_at: occurredAt,
      trial_end: occurredAt,
    })
  })
})

test('a delivery sent again gives the same events', () => {
  const once = deliver(stripePreset, stripeEvent('checkout.session.completed', session))
  const again = deliver(stripePreset, { ...stripeEvent('checkout.session.completed', session), pending_webhooks: 0 })
  expect(again).toEqual(once)
})
