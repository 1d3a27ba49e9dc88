/**
 * A point-of-sale receipt: one delivery per sale or return at a till.
 *
 * Tills have no common form, so this is one that every till's export can be brought into: receipt_id, type (sale or
 * return), store_id, store_name, till_id, cashier_id, closed_at, currency, lines (sku, product_id, name, category, brand,
 * quantity, unit_price, discount, tax, total), totals (subtotal, discount, tax, total), tenders (type, amount, card_token,
 * card_brand, card_last4), loyalty_id, customer (email, phone), original_receipt_id for returns. Amounts are decimals.
 *
 * The buyer is known by the loyalty card, by the token the payment terminal gives the bank card (never a card number),
 * or by an e-mail address given for the receipt. A cash receipt without any of them belongs to nobody, and counts.
 */
import type { Condition, Template, WebhookMapping } from '../mapping.ts'
import type { WebhookPreset } from './preset.ts'

const number = (path: string): Template => ({ path, as: 'number' })
const text = (path: string): Template => ({ path, as: 'string' })

const isReturn: Condition = { path: '$.type', in: ['return', 'refund'], ignoreCase: true }
const isVoid: Condition = {
  path: '$.type',
  in: ['void', 'voided', 'cancelled', 'canceled', 'training'],
  ignoreCase: true,
}

/** Numbers start again in every store. */
const messageId: Template = [{ path: '$.store_id', as: 'string', default: 'store' }, text('$.receipt_id')]

const buyer: Pick<WebhookMapping['rules'][number]['event'], 'externalIds' | 'context'> = {
  externalIds: {
    loyalty_id: { firstOf: [text('$.loyalty_id'), text('$.customer.loyalty_id')] },
    card_token: { collect: '$.tenders[*].card_token', item: text('@') },
  },
  context: { traits: { email: { path: '$.customer.email' }, phone: { path: '$.customer.phone' } } },
}

/** A till that writes returns with minus signs means the same as one that does not. */
const positive = (path: string): Template => ({
  firstOf: [
    { difference: [0, { path }], when: { all: [{ path, exists: true }, { not: { path, greaterThan: 0 } }] } },
    { path, as: 'number' },
  ],
})

const receipt: Record<string, Template> = {
  receipt_id: text('$.receipt_id'),
  affiliation: { firstOf: [{ path: '$.store_name' }, text('$.store_id')] },
  channel: 'store',
  store_id: text('$.store_id'),
  till_id: text('$.till_id'),
  cashier_id: text('$.cashier_id'),
  currency: { path: '$.currency', as: 'upperCase' },
  payment_methods: { collect: '$.tenders[*].type' },
}

const line: Record<string, Template> = {
  product_id: { firstOf: [text('@.product_id'), text('@.sku')] },
  sku: text('@.sku'),
  name: { path: '@.name' },
  category: { path: '@.category' },
  brand: { path: '@.brand' },
}

const mapping: WebhookMapping = {
  rules: [
    {
      name: 'receipt',
      when: { not: { any: [isReturn, isVoid] } },
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Completed',
        messageId,
        timestamp: { path: '$.closed_at' },
        ...buyer,
        properties: {
          order_id: text('$.receipt_id'),
          ...receipt,
          total: number('$.total'),
          revenue: { difference: [{ path: '$.total' }, { path: '$.tax' }] },
          subtotal: { firstOf: [number('$.subtotal'), { difference: [{ path: '$.total' }, { path: '$.tax' }] }] },
          tax: number('$.tax'),
          discount: number('$.discount'),
          tenders: {
            collect: '$.tenders',
            item: {
              type: { path: '@.type' },
              amount: number('@.amount'),
              card_brand: { path: '@.card_brand' },
              card_last4: text('@.card_last4'),
            },
          },
          products: {
            collect: '$.lines',
            item: {
              ...line,
              price: number('@.unit_price'),
              quantity: number('@.quantity'),
              discount: number('@.discount'),
              tax: number('@.tax'),
              total: number('@.total'),
            },
          },
        },
      },
    },
    {
      name: 'return',
      when: isReturn,
      identity: 'none',
      event: {
        type: 'track',
        event: 'Order Refunded',
        messageId,
        timestamp: { path: '$.closed_at' },
        ...buyer,
        properties: {
          order_id: { firstOf: [text('$.original_receipt_id'), text('$.receipt_id')] },
          ...receipt,
          total: positive('$.total'),
          tax: positive('$.tax'),
          products: {
            collect: '$.lines',
            item: {
              ...line,
              price: positive('@.unit_price'),
              quantity: positive('@.quantity'),
              total: positive('@.total'),
              reason: { path: '@.reason' },
            },
          },
        },
      },
    },
  ],
}

export const pointOfSalePreset: WebhookPreset = {
  id: 'point-of-sale',
  title: 'Point of sale (receipts)',
  summary: 'Each receipt as an order with its lines, on the timeline of the loyalty card or bank card that paid.',
  setup: [
    'Let the till system, or the export that runs beside it, send each closed receipt by POST to the address of this source, in the form shown in the sample.',
    'Send the terminal’s card token, never a card number; leave both out for cash.',
    'Sign the body with the secret of this source: HMAC-SHA256, hexadecimal, in the header X-Signature-256.',
  ],
  signature: { scheme: 'hmac', header: 'X-Signature-256', algorithm: 'sha256', encoding: 'hex' },
  mapping,
  namespaces: {},
  sample: {
    headers: {},
    body: {
      receipt_id: 'R-2026-0042',
      type: 'sale',
      store_id: 'S1',
      store_name: 'Northwind Harbour Street',
      till_id: 'T2',
      cashier_id: 'C9',
      closed_at: '2026-01-05T16:20:00+01:00',
      currency: 'EUR',
      lines: [
        { sku: 'TEA-1', name: 'Tea', category: 'Drinks', quantity: 2, unit_price: 4.5, discount: 0.9, total: 8.1 },
        { sku: 'CUP-3', name: 'Cup', category: 'Kitchen', quantity: 1, unit_price: 11.9, total: 11.9 },
      ],
      discount: 0.9,
      tax: 3.19,
      total: 20.0,
      tenders: [{ type: 'card', amount: 20.0, card_token: 'tok_sample_1', card_brand: 'visa', card_last4: '4242' }],
      loyalty_id: 'L-1001',
    },
  },
}
