/** In: a person. Out: what they like, as exact shares of categories and products, and things drawn by those shares. */
import type { Product } from './catalogue.ts'
import type { Person } from './people.ts'
import { type IncomeBand, planted } from './planted.ts'
import { categories } from './product-data.ts'
import { cumulate, type Stream } from './random.ts'

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

/** Product weights within each category, by income: popularity × (list price ÷ the category's median)^tilt. */
export type ProductWeights = Record<IncomeBand, readonly (readonly number[])[]>

/** The list price counts, not the price of the day: tastes do not follow a price change. */
export const productWeights = (byCategory: readonly (readonly Product[])[]): ProductWeights => {
  const weigh = (incomeBand: IncomeBand): number[][] =>
    byCategory.map(products => {
      const listMinor = products.map(product => product.prices[0]?.priceMinor ?? 1)
      const median = [...listMinor].sort((a, b) => a - b)[Math.floor(listMinor.length / 2)] ?? 1
      const tilt = planted.tastes.priceTilt[incomeBand]
      return products.map((product, index) => product.popularity * ((listMinor[index] ?? median) / median) ** tilt)
    })
  return { low: weigh('low'), middle: weigh('middle'), high: weigh('high') }
}

/** Draws things that people like from one catalogue. */
export class Assortment {
  readonly #byCategory: readonly (readonly Product[])[]
  readonly #sums: Record<IncomeBand, readonly Float64Array[]>

  constructor(byCategory: readonly (readonly Product[])[]) {
    this.#byCategory = byCategory
    const weights = productWeights(byCategory)
    this.#sums = {
      low: weights.low.map(cumulate),
      middle: weights.middle.map(cumulate),
      high: weights.high.map(cumulate),
    }
  }

  /** One product that the person likes and that is on sale at `at`. */
  draw(stream: Stream, person: Pick<Person, 'categorySums' | 'incomeBand'>, at: number): Product {
    const category = stream.among(person.categorySums)
    const products = this.#byCategory[category]
    const sums = this.#sums[person.incomeBand][category]
    if (!products || !sums) throw new Error('a category has no products')
    for (;;) {
      const drawn = products[stream.among(sums)]
      // Drawing again until something is on sale keeps the proportions of what is.
      if (drawn && drawn.launchAt <= at) return drawn
    }
  }
}
