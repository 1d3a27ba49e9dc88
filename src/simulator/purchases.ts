/**
 * In: a person. Out: the orders they place by themselves: whether they become a customer at all, when they first buy,
 * when they buy again and when they leave.
 *
 * P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting your customers the easy way", Marketing Science 24 (2005), 275,
 * section 3: while alive a customer buys as a Poisson process with rate λ ~ Gamma(r, α); after each repeat purchase they
 * leave with probability p ~ Beta(a, b). Time is trading time (see calendar). On top, a bad experience adds a chance to
 * leave of its own, also at the first order.
 */
import { atSuitableHour, instantAt, tradingTime } from './calendar.ts'
import { countries } from './name-data.ts'
import type { Person } from './people.ts'
import { type Channel, channelNames, HOUR_MS, planted } from './planted.ts'
import { purposes, Stream } from './random.ts'
import type { World } from './world.ts'

/** More than 99.99 % of customers stay far below. */
const BASELINE_ORDERS_MAX = 250
const TRADING_WEEK = 7

export type Experience = 'good' | 'bad-solved' | 'bad-unsolved'

export interface BaselineOrder {
  at: number
  experience: Experience
}

export interface PurchaseProcess {
  firstChannel: Channel
  /** True probability to become a customer without any cause. */
  conversionProbability: number
  isBuyer: boolean
  /** λ per trading week, and p; null for people who do not buy by themselves. */
  ratePerWeek: number | null
  dropoutProbability: number | null
  orders: readonly BaselineOrder[]
  /** When they left, ms: at their last order. Null while alive at the end, and for people who never bought. */
  leftAt: number | null
}

/** Probability by the planted logistic regression. */
const conversionProbability = (person: Person, channel: Channel): number => {
  const { conversion } = planted
  const logit =
    conversion.intercept +
    conversion.income[person.incomeBand] +
    conversion.occupation[person.occupation] +
    conversion.age[person.ageBand] +
    conversion.channel[channel] +
    (person.household.hasChildren ? conversion.children : 0) +
    (person.buysForCompany ? conversion.companyBuyer : 0)
  return 1 / (1 + Math.exp(-logit))
}

const drawExperience = (stream: Stream): { experience: Experience; leaves: boolean } => {
  const { badExperienceShare, solvedShare, hazardWhenSolved, hazardWhenUnsolved } = planted.churn
  const draws = [stream.unit(), stream.unit(), stream.unit()] as const
  if (draws[0] >= badExperienceShare) return { experience: 'good', leaves: false }
  if (draws[1] < solvedShare) return { experience: 'bad-solved', leaves: draws[2] < hazardWhenSolved }
  return { experience: 'bad-unsolved', leaves: draws[2] < hazardWhenUnsolved }
}

export const planPurchases = (world: World, person: Person): PurchaseProcess => {
  const stream = new Stream(world.key, purposes.purchases, person.index)
  const { calendar, horizonAt } = world
  const firstChannel = channelNames[stream.weighted(planted.browsing.channelShares.discovery)] ?? 'direct'
  const probability = conversionProbability(person, firstChannel)
  const isBuyer = stream.chance(probability)
  const process = { firstChannel, conversionProbability: probability, isBuyer }
  if (!isBuyer) return { ...process, ratePerWeek: null, dropoutProbability: null, orders: [], leftAt: null }

  const { r, alphaWeeks, a, b } = planted.purchase
  const ratePerWeek = stream.gamma(r) / alphaWeeks
  const dropoutProbability = stream.beta(a, b)
  const orders: BaselineOrder[] = []
  const hours = person.buysForCompany ? 'office' : 'home'
  const { offsetMinutes } = countries[person.household.region.country]
  let trading = tradingTime(calendar, person.joinAt) + stream.exponential(planted.conversion.firstOrderMeanDays)
  let notBefore = person.joinAt
  while (orders.length < BASELINE_ORDERS_MAX) {
    const drawn = instantAt(calendar, trading)
    if (drawn >= horizonAt) break
    const at = atSuitableHour(stream, drawn, { hours, offsetMinutes, notBefore })
    if (at >= horizonAt) break
    const { experience, leaves } = drawExperience(stream)
    const dropsOut = stream.chance(dropoutProbability) && orders.length > 0
    orders.push({ at, experience })
    if (leaves || dropsOut) return { ...process, ratePerWeek, dropoutProbability, orders, leftAt: at }
    notBefore = at + HOUR_MS
    trading += (stream.exponential(1) / ratePerWeek) * TRADING_WEEK
  }
  return { ...process, ratePerWeek, dropoutProbability, orders, leftAt: null }
}

export type CustomerState = keyof typeof planted.causes.stateFactor

/** What the person is to the shop at an instant. */
export const stateAt = (process: PurchaseProcess, at: number): CustomerState => {
  const first = process.orders[0]
  if (!first || at < first.at) return 'prospect'
  return process.leftAt !== null && at >= process.leftAt ? 'left' : 'customer'
}
