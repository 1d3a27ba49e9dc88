/**
 * Stripe: checkout sessions, payments, refunds, invoices, customers and subscriptions.
 *
 * Fields as in docs.stripe.com/api (Event, Checkout Session, PaymentIntent, Charge, Invoice, Customer, Subscription), for
 * API versions before and since 2025-03-31 ("basil"), which moved an invoice's subscription and a line's price.
 *
 * Money is counted once: only `Order Completed` carries `revenue`; payments and invoices carry `amount`, because Stripe
 * reports one purchase as a session, a payment intent and, for subscriptions, an invoice too.
 *
 * People are known by e-mail and by Stripe's customer id; `metadata.user_id`, if your code sets it, is their userId.
 * `client_reference_id` is not taken for a user: Stripe suggests it for carts as well. A payment without a customer or
 * e-mail belongs to nobody; it is kept for the sums.
 */
import type { Conversion, Template, WebhookMapping } from '../mapping.ts'
import type { WebhookPreset } from './preset.ts'

const object = '$.data.object'

const inCurrency: Conversion = { minorUnits: { path: `${object}.currency` }, table: 'stripe' }
const money = (field: string): Template => ({ path: `${object}.${field}`, as: inCurrency })
const currency: Template = { path: `${object}.currency`, as: 'upperCase' }
const userId: Template = { firstOf: [{ path: `${object}.metadata.user_id` }, { path: `${object}.metadata.userId` }] }
const created: Template = { path: '$.created', as: 'epoch' }

/** `customer` is an id, or the customer itself where it was expanded. */
const customerId: Template = {
  firstOf: [{ path: `${object}.customer.id` }, { path: `${object}.customer`, as: 'string' }],
}

const address = (place: string): Template => ({
  street: { firstOf: [[{ path: `${place}.line1` }, { path: `${place}.line2` }]], as: { join: ', ' } },
  city: { path: `${place}.city` },
  postalCode: { path: `${place}.postal_code` },
  state: { path: `${place}.state` },
  country: { path: `${place}.country` },
})

/** What was paid for the goods: the total less tax and shipping, whether prices include tax or not. */
const revenue: Template = {
  difference: [
    { path: `${object}.amount_total` },
    { path: `${object}.total_details.amount_tax` },
    { path: `${object}.total_details.amount_shipping` },
  ],
  as: inCurrency,
}

const isPaidCheckout = {
  any: [
    {
      all: [
        { path: '$.type', equals: 'checkout.session.completed' },
        { path: `${object}.payment_status`, in: ['paid', 'no_payment_required'] },
        { not: { path: `${object}.mode`, equals: 'setup' } },
      ],
    },
    // Bank debits and the like: completed first, paid days later.
    { path: '$.type', equals: 'checkout.session.async_payment_succeeded' },
  ],
}

const mapping: WebhookMapping = {
  deliveryId: { path: '$.id' },
  rules: [
    {
      name: 'checkout-customer',
      when: { all: [isPaidCheckout, { path: `${object}.customer_details.email`, exists: true }] },
      event: {
        type: 'identify',
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        traits: {
          email: { path: `${object}.customer_details.email` },
          phone: { path: `${object}.customer_details.phone` },
          name: { path: `${object}.customer_details.name` },
          address: address(`${object}.customer_details.address`),
        },
      },
    },
    {
      name: 'order-completed',
      when: isPaidCheckout,
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Completed',
        messageId: { path: `${object}.id` },
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        context: {
          traits: {
            email: { firstOf: [{ path: `${object}.customer_details.email` }, { path: `${object}.customer_email` }] },
            phone: { path: `${object}.customer_details.phone` },
          },
        },
        properties: {
          // Refunds name the payment, so that is the order's name too.
          order_id: {
            firstOf: [
              { path: `${object}.payment_intent.id` },
              { path: `${object}.payment_intent`, as: 'string' },
              { path: `${object}.invoice`, as: 'string' },
              { path: `${object}.id` },
            ],
          },
          checkout_id: { path: `${object}.id` },
          affiliation: 'Stripe',
          total: money('amount_total'),
          revenue,
          subtotal: revenue,
          tax: money('total_details.amount_tax'),
          shipping: money('total_details.amount_shipping'),
          discount: money('total_details.amount_discount'),
          currency,
          mode: { path: `${object}.mode` },
          subscription_id: { path: `${object}.subscription` },
          client_reference_id: { path: `${object}.client_reference_id` },
          // Only where the endpoint's sender expanded them: Stripe leaves lines out of webhooks.
          products: {
            collect: `${object}.line_items.data`,
            item: {
              product_id: { firstOf: [{ path: '@.price.product.id' }, { path: '@.price.product', as: 'string' }] },
              sku: { path: '@.price.id' },
              name: { path: '@.description' },
              price: { path: '@.price.unit_amount', as: inCurrency },
              quantity: { path: '@.quantity' },
              discount: { path: '@.amount_discount', as: inCurrency },
            },
          },
        },
      },
    },
    {
      name: 'payment-succeeded',
      when: { path: '$.type', equals: 'payment_intent.succeeded' },
      identity: 'none',
      event: {
        type: 'track',
        event: 'Payment Succeeded',
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        context: { traits: { email: { path: `${object}.receipt_email` } } },
        properties: {
          payment_id: { path: `${object}.id` },
          order_id: { path: `${object}.id` },
          amount: { firstOf: [money('amount_received'), money('amount')] },
          currency,
          description: { path: `${object}.description` },
          payment_method_types: { path: `${object}.payment_method_types` },
        },
      },
    },
    {
      name: 'order-refunded',
      when: { path: '$.type', equals: 'charge.refunded' },
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Refunded',
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        context: {
          traits: {
            email: { firstOf: [{ path: `${object}.billing_details.email` }, { path: `${object}.receipt_email` }] },
            phone: { path: `${object}.billing_details.phone` },
          },
        },
        properties: {
          order_id: { firstOf: [{ path: `${object}.payment_intent` }, { path: `${object}.id` }] },
          charge_id: { path: `${object}.id` },
          // amount_refunded grows with each partial refund; what it was before says how much this one was.
          total: {
            difference: [{ path: `${object}.amount_refunded` }, { path: '$.data.previous_attributes.amount_refunded' }],
            as: inCurrency,
          },
          total_refunded: money('amount_refunded'),
          order_total: money('amount'),
          is_full_refund: { path: `${object}.refunded` },
          currency,
        },
      },
    },
    {
      name: 'invoice-paid',
      when: { path: '$.type', equals: 'invoice.paid' },
      event: {
        type: 'track',
        event: 'Invoice Paid',
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        context: {
          traits: { email: { path: `${object}.customer_email` }, phone: { path: `${object}.customer_phone` } },
        },
        properties: {
          invoice_id: { path: `${object}.id` },
          invoice_number: { path: `${object}.number` },
          billing_reason: { path: `${object}.billing_reason` },
          subscription_id: {
            firstOf: [
              { path: `${object}.subscription`, as: 'string' },
              { path: `${object}.parent.subscription_details.subscription`, as: 'string' },
            ],
          },
          amount: money('amount_paid'),
          subtotal: money('subtotal'),
          tax: {
            firstOf: [money('tax'), { collect: `${object}.total_taxes[*].amount`, as: ['sum', inCurrency] }],
          },
          currency,
          products: {
            collect: `${object}.lines.data`,
            item: {
              product_id: {
                firstOf: [{ path: '@.pricing.price_details.product' }, { path: '@.price.product', as: 'string' }],
              },
              sku: { firstOf: [{ path: '@.pricing.price_details.price' }, { path: '@.price.id' }] },
              name: { path: '@.description' },
              price: {
                firstOf: [
                  { path: '@.pricing.unit_amount_decimal', as: inCurrency },
                  { path: '@.price.unit_amount', as: inCurrency },
                ],
              },
              quantity: { path: '@.quantity' },
              amount: { path: '@.amount', as: inCurrency },
            },
          },
        },
      },
    },
    {
      name: 'customer',
      when: { path: '$.type', in: ['customer.created', 'customer.updated'] },
      event: {
        type: 'identify',
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: { path: `${object}.id` } },
        traits: {
          email: { path: `${object}.email` },
          phone: { path: `${object}.phone` },
          name: { path: `${object}.name` },
          address: address(`${object}.address`),
          locale: { path: `${object}.preferred_locales`, as: 'first' },
          createdAt: { path: `${object}.created`, as: 'epoch' },
        },
      },
    },
    {
      name: 'subscription',
      when: { path: '$.type', startsWith: 'customer.subscription.' },
      event: {
        type: 'track',
        event: {
          path: '$.type',
          as: {
            lookup: {
              'customer.subscription.created': 'Subscription Started',
              'customer.subscription.deleted': 'Subscription Cancelled',
              'customer.subscription.paused': 'Subscription Paused',
              'customer.subscription.resumed': 'Subscription Resumed',
              'customer.subscription.trial_will_end': 'Trial Ending',
            },
            otherwise: 'Subscription Updated',
          },
        },
        timestamp: created,
        userId,
        externalIds: { stripe_customer_id: customerId },
        properties: {
          subscription_id: { path: `${object}.id` },
          status: { path: `${object}.status` },
          previous_status: { path: '$.data.previous_attributes.status' },
          product_id: {
            firstOf: [
              { path: `${object}.items.data[0].price.product.id` },
              { path: `${object}.items.data[0].price.product`, as: 'string' },
            ],
          },
          plan: {
            firstOf: [{ path: `${object}.items.data[0].price.nickname` }, { path: `${object}.items.data[0].price.id` }],
          },
          price: { path: `${object}.items.data[0].price.unit_amount`, as: inCurrency },
          quantity: { path: `${object}.items.data[0].quantity` },
          currency,
          interval: { path: `${object}.items.data[0].price.recurring.interval` },
          interval_count: { path: `${object}.items.data[0].price.recurring.interval_count` },
          current_period_end: {
            firstOf: [
              { path: `${object}.current_period_end`, as: 'epoch' },
              { path: `${object}.items.data[0].current_period_end`, as: 'epoch' },
            ],
          },
          trial_end: { path: `${object}.trial_end`, as: 'epoch' },
          cancel_at_period_end: { path: `${object}.cancel_at_period_end` },
          canceled_at: { path: `${object}.canceled_at`, as: 'epoch' },
          cancellation_reason: { path: `${object}.cancellation_details.reason` },
        },
      },
    },
  ],
}

export const stripePreset: WebhookPreset = {
  id: 'stripe',
  title: 'Stripe',
  summary: 'Purchases, payments, refunds, invoices and subscriptions, with the customers they belong to.',
  setup: [
    'In Stripe, open Developers, Webhooks, and add an endpoint with the address of this source.',
    'Choose the events checkout.session.completed, checkout.session.async_payment_succeeded, payment_intent.succeeded, charge.refunded, invoice.paid, customer.created, customer.updated and customer.subscription.*.',
    'Copy the endpoint’s signing secret (whsec_…) into this source.',
    'If your people have ids of your own, set metadata.user_id on customers and sessions.',
  ],
  signature: { scheme: 'stripe' },
  mapping,
  // Checkouts of guests make a new Stripe customer each time.
  namespaces: { stripe_customer_id: { class: 'contact', priority: 6, limit: 50 } },
  sample: {
    headers: {},
    body: {
      id: 'evt_sample_1',
      object: 'event',
      type: 'checkout.session.completed',
      created: 1767261600,
      data: {
        object: {
          id: 'cs_sample_1',
          object: 'checkout.session',
          mode: 'payment',
          payment_status: 'paid',
          payment_intent: 'pi_sample_1',
          customer: 'cus_sample_1',
          customer_details: { email: 'ada@example.com', name: 'Ada Example', phone: null, address: null },
          currency: 'eur',
          amount_subtotal: 4500,
          amount_total: 5445,
          total_details: { amount_discount: 0, amount_shipping: 500, amount_tax: 445 },
          metadata: { user_id: 'user-1' },
        },
      },
    },
  },
}
