/** In: the product table and a seed. Out: products with prices and costs over time, and what each sold for at any instant. */
import { DAY_MS, planted } from './planted.ts'
import { type Category, categories, companions, productRows } from './product-data.ts'
import { type Key, purposes, Stream } from './random.ts'

export interface PricePoint {
  /** In force from this instant, ms. */
  at: number
  priceMinor: number
  costMinor: number
}

export interface Product {
  index: number
  id: string
  sku: string
  name: string
  category: Category
  popularity: number
  /** Not on sale before, ms; 0 for products that always were. */
  launchAt: number
  /** Oldest first; the first one is in force at the catalogue's beginning or at the launch. */
  prices: readonly PricePoint[]
  path: string
  url: string
  title: string
}

export interface Catalogue {
  products: readonly Product[]
  /** Products by category, in the order of `categories`. */
  byCategory: readonly (readonly Product[])[]
  companions: ReadonlyMap<number, { take: Product; probability: number }>
}

export const SHOP_URL = 'https://shop.northwind.example.com'
export const CURRENCY = 'EUR'
const CENTS_STEP = 10
const PRODUCT_ID_BASE = 1001

/** Lower-case ASCII words with hyphens. */
export const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

export const categoryPath = (category: Category): string => `/${slugOf(category)}`

const pricesOverTime = (stream: Stream, first: PricePoint, untilAt: number): PricePoint[] => {
  const prices = [first]
  const { changeMeanDays, priceStep, costStep } = planted.prices
  const step = (minor: number, share: number): number =>
    Math.round((minor * (1 + stream.between(-share, share))) / CENTS_STEP) * CENTS_STEP
  for (let at = first.at; ; ) {
    at += Math.floor(stream.exponential(changeMeanDays) * DAY_MS)
    if (at >= untilAt) return prices
    // Steps start from the list price, not from each other: prices wander around it and margins stay plausible.
    prices.push({ at, priceMinor: step(first.priceMinor, priceStep), costMinor: step(first.costMinor, costStep) })
  }
}

/** `firstAt` is where history begins, `startAt` the first simulated day, `untilAt` the last; launches fall between the latter. */
export const createCatalogue = (key: Key, span: { firstAt: number; startAt: number; untilAt: number }): Catalogue => {
  const products = productRows.map((row, index): Product => {
    const launchAt =
      row.launch === undefined ? 0 : Math.floor(span.startAt + row.launch * (span.untilAt - span.startAt))
    const first = { at: launchAt || span.firstAt, priceMinor: row.priceMinor, costMinor: row.costMinor }
    const path = `${categoryPath(row.category)}/${slugOf(row.name)}`
    return {
      index,
      id: String(PRODUCT_ID_BASE + index),
      sku: `NW-${slugOf(row.category).slice(0, 3).toUpperCase()}-${PRODUCT_ID_BASE + index}`,
      name: row.name,
      category: row.category,
      popularity: row.popularity,
      launchAt,
      prices: pricesOverTime(new Stream(key, purposes.product, index), first, span.untilAt),
      path,
      url: SHOP_URL + path,
      title: `${row.name} – Northwind`,
    }
  })
  const byName = new Map(products.map(product => [product.name, product]))
  const named = (name: string): Product => {
    const product = byName.get(name)
    if (!product) throw new Error(`no product is called ${name}`)
    return product
  }
  return {
    products,
    byCategory: categories.map(category => products.filter(product => product.category === category)),
    companions: new Map(
      companions.map(pair => [named(pair.with).index, { take: named(pair.take), probability: pair.probability }]),
    ),
  }
}

/** Price and cost in force at `at`; before a launch, those of the launch. */
export const priceAt = (product: Product, at: number): PricePoint => {
  const { prices } = product
  for (let index = prices.length - 1; index > 0; index -= 1) {
    const price = prices[index]
    if (price && price.at <= at) return price
  }
  const first = prices[0]
  if (!first) throw new Error('a product has no price')
  return first
}

/** Minor units as the decimal that a client would send. Division by 100 is correctly rounded, so 1234 prints as 12.34. */
export const amount = (minor: number): number => minor / 100
