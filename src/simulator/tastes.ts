/** In: a person. Out: what they like, as exact shares of categories and products, and things drawn by those shares. */
import type { Catalogue, Product } from './catalogue.ts'
import type { Person } from './people.ts'
import { planted } from './planted.ts'
import { categories } from './product-data.ts'
import type { Stream } from './random.ts'

/** The share of each category in what this person takes on purpose, in the order of `categories`; sums to 1. */
export const categoryShares = (person: Pick<Person, 'tasteGroups'>): number[] => {
  const weights = categories.map(category => {
    let weight: number = planted.tastes.base[category]
    for (const group of person.tasteGroups) weight *= planted.tastes.lifts[group]?.[category] ?? 1
    return weight
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}

/** Weight of a product within its category for this person at an instant: 0 before its launch. */
export const productWeight = (
  catalogue: Catalogue,
  product: Product,
  taste: { incomeBand: Person['incomeBand']; at: number },
): number => {
  if (taste.at < product.launchAt) return 0
  const tilt = planted.tastes.priceTilt[taste.incomeBand]
  if (tilt === 0) return product.popularity
  const median = catalogue.medianMinor[categories.indexOf(product.category)] ?? 1
  // The list price, not the price of the day: tastes do not follow a price change.
  return product.popularity * ((product.prices[0]?.priceMinor ?? median) / median) ** tilt
}

/** One product that the person likes. `shares` is their `categoryShares`. */
export const drawProduct = (
  catalogue: Catalogue,
  stream: Stream,
  taste: { shares: readonly number[]; incomeBand: Person['incomeBand']; at: number },
): Product => {
  const products = catalogue.byCategory[stream.weighted(taste.shares)] ?? catalogue.products
  const drawn = products[stream.weighted(products.map(product => productWeight(catalogue, product, taste)))]
  if (!drawn) throw new Error('a category has no products')
  return drawn
}
