/**
 * Shopify: orders, payments, refunds, checkouts and customers.
 *
 * The topic comes in the header X-Shopify-Topic; fields as in shopify.dev/docs/api/webhooks (orders/create, orders/paid,
 * refunds/create, checkouts/create, customers/create, customers/update). Money is in the shop's currency.
 *
 * Money is counted once: `orders/create` is the `Order Completed` with `revenue`; `orders/paid` is a `Payment Succeeded`
 * of the same order_id. Test orders are left out. A refund's payload names no customer: the event belongs to nobody and
 * is joined to its order by order_id.
 *
 * If the theme stores the browser's anonymous id as a cart attribute (`ajs_anonymous_id`), the order also joins the
 * visit that led to it.
 */
import type { Condition, Template, WebhookMapping } from '../mapping.ts'
import type { WebhookPreset } from './preset.ts'

const topic = 'headers.x-shopify-topic'
const number = (path: string): Template => ({ path, as: 'number' })
const text = (path: string): Template => ({ path, as: 'string' })
const isTopic = (...topics: string[]): Condition => ({ path: topic, in: topics })
const isNoTest: Condition = { not: { path: '$.test', equals: true } }

const triggeredAt: Template = {
  firstOf: [
    { path: 'headers.x-shopify-triggered-at', as: 'time' },
    { path: '$.updated_at', as: 'time' },
  ],
}

/** What the cart carried along from the browser. */
const anonymousId: Template = {
  collect: '$.note_attributes',
  where: { path: '@.name', in: ['ajs_anonymous_id', 'anonymous_id', 'anonymousId', '_anonymous_id'] },
  item: { path: '@.value', as: 'string' },
  as: 'first',
}

const buyer = {
  email: { firstOf: [{ path: '$.email' }, { path: '$.contact_email' }, { path: '$.customer.email' }] },
  phone: { firstOf: [{ path: '$.phone' }, { path: '$.customer.phone' }, { path: '$.billing_address.phone' }] },
} satisfies Record<string, Template>

const address = (place: string): Template => ({
  street: { firstOf: [[{ path: `${place}.address1` }, { path: `${place}.address2` }]], as: { join: ', ' } },
  city: { path: `${place}.city` },
  postalCode: { path: `${place}.zip` },
  state: { firstOf: [{ path: `${place}.province_code` }, { path: `${place}.province` }] },
  country: { firstOf: [{ path: `${place}.country_code` }, { path: `${place}.country` }] },
})

/** A line item at `@`, or inside the element there. */
const product = (line: string): Record<string, Template> => ({
  product_id: text(`${line}.product_id`),
  variant_id: text(`${line}.variant_id`),
  sku: { path: `${line}.sku` },
  name: { firstOf: [{ path: `${line}.title` }, { path: `${line}.name` }] },
  variant: { path: `${line}.variant_title` },
  brand: { path: `${line}.vendor` },
  price: number(`${line}.price`),
})

const products: Template = {
  collect: '$.line_items',
  item: {
    ...product('@'),
    quantity: number('@.quantity'),
    discount: {
      firstOf: [{ collect: '@.discount_allocations[*].amount', as: 'sum' }, number('@.total_discount')],
    },
    line_id: text('@.id'),
  },
}

const shipping: Template = {
  firstOf: [
    number('$.total_shipping_price_set.shop_money.amount'),
    { collect: '$.shipping_lines[*].price', as: 'sum' },
  ],
}

/** What was paid for the goods: the total less tax, shipping and tip, whether prices include tax or not. */
const revenue: Template = {
  difference: [{ path: '$.total_price' }, { path: '$.total_tax' }, shipping, { path: '$.total_tip_received' }],
}

const totals: Record<string, Template> = {
  affiliation: { path: 'headers.x-shopify-shop-domain' },
  total: number('$.total_price'),
  revenue,
  subtotal: revenue,
  tax: number('$.total_tax'),
  shipping,
  discount: number('$.total_discounts'),
  currency: { path: '$.currency', as: 'upperCase' },
  coupon: { path: '$.discount_codes[0].code' },
  products,
}

const browser: Record<string, Template> = {
  ip: { path: '$.client_details.browser_ip' },
  userAgent: { path: '$.client_details.user_agent' },
}

const mapping: WebhookMapping = {
  // The same for every delivery of one event; older API versions send only the webhook's id.
  deliveryId: { firstOf: [{ path: 'headers.x-shopify-event-id' }, { path: 'headers.x-shopify-webhook-id' }] },
  rules: [
    {
      name: 'customer',
      when: isTopic('customers/create', 'customers/update'),
      event: {
        type: 'identify',
        timestamp: triggeredAt,
        externalIds: { shopify_customer_id: text('$.id') },
        traits: {
          email: { path: '$.email' },
          phone: { firstOf: [{ path: '$.phone' }, { path: '$.default_address.phone' }] },
          firstName: { path: '$.first_name' },
          lastName: { path: '$.last_name' },
          company: { path: '$.default_address.company' },
          address: address('$.default_address'),
          createdAt: { path: '$.created_at', as: 'time' },
          tags: { path: '$.tags' },
          note: { path: '$.note' },
          emailMarketingState: { path: '$.email_marketing_consent.state' },
          smsMarketingState: { path: '$.sms_marketing_consent.state' },
        },
      },
    },
    {
      name: 'order-customer',
      when: {
        all: [
          isTopic('orders/create'),
          isNoTest,
          {
            any: [
              { path: '$.customer.id', exists: true },
              { path: '$.email', exists: true },
              { path: '$.phone', exists: true },
            ],
          },
        ],
      },
      event: {
        type: 'identify',
        messageId: text('$.id'),
        timestamp: { path: '$.created_at' },
        anonymousId,
        externalIds: { shopify_customer_id: text('$.customer.id') },
        traits: {
          ...buyer,
          firstName: { firstOf: [{ path: '$.customer.first_name' }, { path: '$.billing_address.first_name' }] },
          lastName: { firstOf: [{ path: '$.customer.last_name' }, { path: '$.billing_address.last_name' }] },
          address: {
            firstOf: [
              address('$.customer.default_address'),
              address('$.billing_address'),
              address('$.shipping_address'),
            ],
          },
        },
      },
    },
    {
      name: 'order-completed',
      when: { all: [isTopic('orders/create'), isNoTest] },
      // An order rung up in a store without a customer is real all the same.
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Completed',
        messageId: text('$.id'),
        timestamp: { path: '$.created_at' },
        anonymousId,
        externalIds: { shopify_customer_id: text('$.customer.id') },
        context: { ...browser, traits: buyer },
        properties: {
          order_id: text('$.id'),
          order_number: { path: '$.name' },
          checkout_id: { path: '$.checkout_token' },
          channel: { path: '$.source_name' },
          payment_status: { path: '$.financial_status' },
          landing_site: { path: '$.landing_site' },
          referring_site: { path: '$.referring_site' },
          ...totals,
        },
      },
    },
    {
      name: 'order-paid',
      when: { all: [isTopic('orders/paid'), isNoTest] },
      identity: 'none',
      event: {
        type: 'track',
        event: 'Payment Succeeded',
        messageId: text('$.id'),
        timestamp: triggeredAt,
        anonymousId,
        externalIds: { shopify_customer_id: text('$.customer.id') },
        context: { traits: buyer },
        properties: {
          order_id: text('$.id'),
          order_number: { path: '$.name' },
          amount: number('$.total_price'),
          currency: { path: '$.currency', as: 'upperCase' },
          gateway: { path: '$.payment_gateway_names', as: 'first' },
        },
      },
    },
    {
      name: 'order-refunded',
      when: isTopic('refunds/create'),
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Refunded',
        messageId: text('$.id'),
        timestamp: { firstOf: [{ path: '$.processed_at' }, { path: '$.created_at' }] },
        properties: {
          order_id: text('$.order_id'),
          refund_id: text('$.id'),
          affiliation: { path: 'headers.x-shopify-shop-domain' },
          // Money that went back; a refund of goods without money has none.
          total: {
            collect: '$.transactions',
            where: {
              all: [
                { path: '@.kind', equals: 'refund' },
                { path: '@.status', equals: 'success' },
              ],
            },
            item: { path: '@.amount' },
            as: 'sum',
            default: 0,
          },
          tax: { collect: '$.refund_line_items[*].total_tax', as: 'sum' },
          currency: { collect: '$.transactions[*].currency', as: ['first', 'upperCase'] },
          reason: { path: '$.note' },
          products: {
            collect: '$.refund_line_items',
            item: {
              ...product('@.line_item'),
              quantity: number('@.quantity'),
              subtotal: number('@.subtotal'),
              restock_type: { path: '@.restock_type' },
              line_id: text('@.line_item_id'),
            },
          },
        },
      },
    },
    {
      name: 'checkout-started',
      when: isTopic('checkouts/create'),
      // Nobody has typed an address yet when most checkouts begin.
      identity: 'none',
      event: {
        type: 'track',
        event: 'Checkout Started',
        messageId: { firstOf: [{ path: '$.token' }, text('$.id')] },
        timestamp: { path: '$.created_at' },
        anonymousId,
        externalIds: { shopify_customer_id: text('$.customer.id') },
        context: { traits: buyer },
        properties: {
          checkout_id: { path: '$.token' },
          cart_id: { path: '$.cart_token' },
          channel: { path: '$.source_name' },
          landing_site: { path: '$.landing_site' },
          referring_site: { path: '$.referring_site' },
          url: { path: '$.abandoned_checkout_url' },
          value: number('$.total_price'),
          ...totals,
        },
      },
    },
  ],
}

export const shopifyPreset: WebhookPreset = {
  id: 'shopify',
  title: 'Shopify',
  summary: 'Orders with their lines, payments, refunds, checkouts, and the customers behind them.',
  setup: [
    'In Shopify’s admin, open Settings, Notifications, Webhooks.',
    'Create one webhook per event, format JSON, with the address of this source: order creation, order payment, refund creation, checkout creation, customer creation, customer update.',
    'Copy the secret shown below the list of webhooks into this source (for an app: its client secret).',
    'To join orders with visits, store the anonymous id of the browser as the cart attribute ajs_anonymous_id.',
  ],
  signature: { scheme: 'shopify' },
  mapping,
  namespaces: { shopify_customer_id: { class: 'contact', priority: 6, limit: 5 } },
  sample: {
    headers: { 'X-Shopify-Topic': 'orders/create', 'X-Shopify-Shop-Domain': 'northwind-sample.myshopify.com' },
    body: {
      id: 5001,
      name: '#1001',
      created_at: '2026-01-05T10:15:00+01:00',
      test: false,
      email: 'grace@example.com',
      currency: 'EUR',
      total_price: '59.90',
      total_tax: '9.56',
      total_discounts: '5.00',
      total_shipping_price_set: { shop_money: { amount: '4.90', currency_code: 'EUR' } },
      discount_codes: [{ code: 'WELCOME5', amount: '5.00', type: 'fixed_amount' }],
      customer: { id: 7001, email: 'grace@example.com', first_name: 'Grace', last_name: 'Example' },
      line_items: [{ id: 1, product_id: 11, variant_id: 111, sku: 'TEA-1', title: 'Tea', quantity: 2, price: '30.00' }],
    },
  },
}
