/** In: an order, a refund or a product's price. Out: the calls of the shop's server and its tills, amounts as decimals. */
import type { JsonObject } from '../spec/json.ts'
import { type Body, externalId, serverLibrary } from './calls.ts'
import { amount, CURRENCY, type PricePoint, type Product } from './catalogue.ts'
import { stores } from './name-data.ts'
import type { Order, OrderLine } from './orders.ts'
import type { Person } from './people.ts'
import type { Receipt } from './plan.ts'

const JUNK_RECEIPT_EMAIL = 'noemail@example.com'

/** A product as the ecommerce spec lists it. */
export const productProperties = (product: Product, priceMinor: number): JsonObject => ({
  product_id: product.id,
  sku: product.sku,
  name: product.name,
  category: product.category,
  brand: 'Northwind',
  price: amount(priceMinor),
  currency: CURRENCY,
  url: product.url,
})

const lineProperties = (line: OrderLine, quantity: number, discountMinor: number): JsonObject => ({
  product_id: line.product.id,
  sku: line.product.sku,
  name: line.product.name,
  category: line.product.category,
  price: amount(line.priceMinor),
  quantity,
  discount: amount(discountMinor),
})

/** Properties of `Order Completed`. `extra` is what only this place of sale knows. */
export const orderProperties = (order: Order, extra: JsonObject): JsonObject => ({
  order_id: order.id,
  currency: CURRENCY,
  products: order.lines.map(line => lineProperties(line, line.quantity, line.discountMinor)),
  subtotal: amount(order.subtotalMinor),
  revenue: amount(order.subtotalMinor),
  discount: amount(order.discountMinor),
  shipping: amount(order.shippingMinor),
  tax: amount(order.taxMinor),
  total: amount(order.totalMinor),
  ...(order.voucher === null ? {} : { coupon: order.voucher }),
  ...extra,
})

const refundProperties = (order: Order): JsonObject => ({
  order_id: order.id,
  currency: CURRENCY,
  products: order.lines
    .filter(line => line.returnedQuantity > 0)
    .map(line => {
      const discountMinor = Math.floor((line.discountMinor * line.returnedQuantity) / line.quantity)
      return lineProperties(line, line.returnedQuantity, discountMinor)
    }),
  revenue: amount(order.refund?.revenueMinor ?? 0),
  tax: amount(order.refund?.taxMinor ?? 0),
  total: amount(order.refund?.totalMinor ?? 0),
})

/** The refund comes from the same place as the order, under what that place knows about the buyer. */
export const refundBody = (order: Order, who: Pick<Body, 'userId' | 'anonymousId'>, context: JsonObject): Body => ({
  type: 'track',
  event: 'Order Refunded',
  ...who,
  properties: refundProperties(order),
  context,
})

/** What a till knows of the buyer: a card, a loyalty number, an address for the receipt, or nothing. */
export const receiptContext = (person: Person, receipt: Receipt): JsonObject => {
  const externalIds: JsonObject[] = []
  if (receipt.cardToken !== null) externalIds.push(externalId('card_token', receipt.cardToken))
  if (receipt.loyaltyId !== null) externalIds.push(externalId('loyalty_id', receipt.loyaltyId))
  const email = receipt.email === 'own' ? person.email : receipt.email === 'junk' ? JUNK_RECEIPT_EMAIL : null
  if (email !== null) externalIds.push(externalId('email', email))
  return {
    library: { name: 'northwind-till', version: '7.1' },
    ...(externalIds.length > 0 ? { externalIds } : {}),
    ...(email === null ? {} : { traits: { email } }),
  }
}

export const receiptBody = (person: Person, receipt: Receipt): Body => {
  const store = stores[person.store ?? 0]
  return {
    type: 'track',
    event: 'Order Completed',
    properties: orderProperties(receipt.order, {
      channel: 'store',
      store_id: store?.id ?? '',
      store_name: store?.name ?? '',
      payment_method: receipt.cardToken === null ? 'cash' : 'card',
    }),
    context: receiptContext(person, receipt),
  }
}

/** The catalogue's own call: about a product, of nobody. */
export const productBody = (product: Product, price: PricePoint): Body => ({
  type: 'track',
  event: 'Product Updated',
  properties: { ...productProperties(product, price.priceMinor), cost: amount(price.costMinor) },
  context: { library: serverLibrary },
})
