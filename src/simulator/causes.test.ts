/** Why people buy: every planted figure is recovered from lives or from calls alone. */
import { beforeAll, describe, expect, test } from 'vitest'
import { tradingTime } from './calendar.ts'
import { simulate, truth } from './index.ts'
import { planLife } from './life.ts'
import type { Order } from './orders.ts'
import { describePerson } from './people.ts'
import type { Life } from './plan.ts'
import { ageBands, DAY_MS, incomeBands, planted, type TasteGroup, WEEK_MS } from './planted.ts'
import { categories, companions } from './product-data.ts'
import { planPurchases } from './purchases.ts'
import { categoryShares, productWeights } from './tastes.ts'
import { createWorld } from './world.ts'

const options = { seed: 77, people: 16_000, startAt: Date.UTC(2024, 0, 1), days: 364 }
const world = createWorld(options)
const lives: Life[] = []
const orders: { order: Order; life: Life }[] = []

beforeAll(() => {
  for (let person = 0; person < options.people; person += 1) {
    const life = planLife(world, person)
    lives.push(life)
    for (const order of life.orders) orders.push({ order, life })
  }
}, 60_000)

const sum = <Item>(items: Iterable<Item>, value: (item: Item) => number): number => {
  let total = 0
  for (const item of items) total += value(item)
  return total
}

/** Fails when hits are further from the sum of their probabilities than 4.5 standard deviations. */
const expectHits = (name: string, hits: number, probabilities: readonly number[]): void => {
  const expected = sum(probabilities, p => p)
  const deviation = Math.sqrt(sum(probabilities, p => p * (1 - p)))
  expect(deviation, name).toBeGreaterThan(1.5)
  expect(Math.abs(hits - expected), `${name}: ${hits}, expected ${expected.toFixed(1)}`).toBeLessThan(4.5 * deviation)
}

describe('becoming a customer', () => {
  test('follows the planted logistic regression in every income band and age', () => {
    const groups = [...incomeBands, ...ageBands]
    for (const group of groups) {
      const members = lives.filter(({ person }) => person.incomeBand === group || person.ageBand === group)
      const buyers = members.filter(life => life.process.isBuyer).length
      expectHits(
        group,
        buyers,
        members.map(life => life.process.conversionProbability),
      )
    }
    const rates = incomeBands.map(band => {
      const members = lives.filter(life => life.person.incomeBand === band)
      return members.filter(life => life.process.isBuyer).length / members.length
    })
    expect(rates[0]).toBeLessThan(rates[1] ?? 0)
    expect(rates[1]).toBeLessThan(rates[2] ?? 0)
  })
})

describe('buying again', () => {
  const buyers = (): Life[] => lives.filter(life => life.process.isBuyer && life.process.ratePerWeek !== null)

  test('has gamma rates and beta dropouts with the planted moments', () => {
    const { r, alphaWeeks, a, b } = planted.purchase
    const rates = buyers().map(life => life.process.ratePerWeek ?? 0)
    const dropouts = buyers().map(life => life.process.dropoutProbability ?? 0)
    const mean = (values: number[]): number => sum(values, value => value) / values.length
    const near = (found: number, planted: number, deviation: number) =>
      expect(Math.abs(found - planted)).toBeLessThan((4.5 * deviation) / Math.sqrt(rates.length))
    near(mean(rates), r / alphaWeeks, Math.sqrt(r) / alphaWeeks)
    near(mean(dropouts), a / (a + b), Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))))
    const square = mean(rates.map(rate => rate * rate))
    expect(square / ((r * (r + 1)) / alphaWeeks ** 2)).toBeGreaterThan(0.9)
    expect(square / ((r * (r + 1)) / alphaWeeks ** 2)).toBeLessThan(1.1)
  })

  test('counts repeat orders as BG/NBD expects, bad experiences included', () => {
    // E[X(t) | λ, p] = (1 − e^(−λpt)) / p (Fader, Hardie, Lee 2005, equation 8); p with the added chance to leave.
    const { badExperienceShare, solvedShare, hazardWhenSolved, hazardWhenUnsolved } = planted.churn
    const leaving = badExperienceShare * (solvedShare * hazardWhenSolved + (1 - solvedShare) * hazardWhenUnsolved)
    let found = 0
    let expected = 0
    let squares = 0
    // More people than elsewhere: a rate that is 10 % off moves the count by half of that only.
    for (let index = 0; index < 60_000; index += 1) {
      const person = describePerson(world, index)
      const process = planPurchases(world, person)
      const first = process.orders[0]
      if (!first || person.buysForCompany) continue
      const days = tradingTime(world.calendar, world.horizonAt) - tradingTime(world.calendar, first.at)
      const p = 1 - (1 - (process.dropoutProbability ?? 0)) * (1 - leaving)
      const mean = ((1 - leaving) * (1 - Math.exp(-((process.ratePerWeek ?? 0) * p * days) / 7))) / p
      expected += mean
      found += process.orders.length - 1
      squares += (process.orders.length - 1 - mean) ** 2
    }
    expect(Math.abs(found - expected)).toBeLessThan(4.5 * Math.sqrt(squares))
    expect(Math.sqrt(squares) / expected).toBeLessThan(0.01)
  })

  test('ends more often after a bad experience that nobody solved', () => {
    const leave = (experience: string) => {
      const probabilities: number[] = []
      let left = 0
      const hazard = {
        good: 0,
        'bad-solved': planted.churn.hazardWhenSolved,
        'bad-unsolved': planted.churn.hazardWhenUnsolved,
      }
      for (const { process } of buyers()) {
        process.orders.forEach((order, index) => {
          if (order.experience !== experience) return
          const p = index > 0 ? (process.dropoutProbability ?? 0) : 0
          probabilities.push(1 - (1 - p) * (1 - hazard[order.experience]))
          if (process.leftAt === order.at) left += 1
        })
      }
      expectHits(`leaving after ${experience}`, left, probabilities)
      return left / probabilities.length
    }
    expect(leave('bad-unsolved')).toBeGreaterThan(2 * leave('good'))
    leave('bad-solved')
    const all = buyers().flatMap(life => life.process.orders)
    expectHits(
      'bad',
      all.filter(order => order.experience !== 'good').length,
      all.map(() => planted.churn.badExperienceShare),
    )
  })

  test('follows weekday and season', () => {
    const weekdays = [0, 0, 0, 0, 0, 0, 0]
    const months = Array.from({ length: 12 }, () => 0)
    for (const life of lives) {
      if (life.person.buysForCompany) continue
      for (const { at } of life.process.orders) {
        if (at < options.startAt) continue
        const day = (new Date(at).getUTCDay() + 6) % 7
        weekdays[day] = (weekdays[day] ?? 0) + 1
      }
    }
    for (const { order } of orders) {
      const month = new Date(order.at).getUTCMonth()
      months[month] = (months[month] ?? 0) + 1
    }
    const [tuesday, saturday] = [weekdays[1] ?? 1, weekdays[5] ?? 0]
    const planned = (planted.calendar.weekdays[5] ?? 0) / (planted.calendar.weekdays[1] ?? 1)
    const error = planned * Math.sqrt(1 / tuesday + 1 / saturday)
    expect(Math.abs(saturday / tuesday - planned)).toBeLessThan(4.5 * error)
    expect(4.5 * error).toBeLessThan(planned - 1)
    expect((months[11] ?? 0) / (months[1] ?? 1)).toBeGreaterThan(1.25)
  })
})

describe('causes', () => {
  test('add as many orders as their planted effects say, by channel, mail and call', () => {
    for (const channel of ['paid_search', 'social', 'display', 'referral'] as const) {
      const touches = lives.flatMap(life => life.touches.filter(touch => touch.channel === channel))
      expectHits(
        channel,
        touches.filter(touch => touch.caused).length,
        touches.map(touch => touch.effect),
      )
    }
    const treatments = lives.flatMap(life => life.treatments)
    for (const [kind, arm] of [
      ['promotion', 'plain'],
      ['promotion', 'discount'],
      ['sales-call', 'plain'],
    ] as const) {
      const treated = treatments.filter(one => one.campaign.kind === kind && one.arm === arm)
      expectHits(
        `${kind} ${arm}`,
        treated.filter(one => one.caused).length,
        treated.map(one => one.effect),
      )
    }
    const silent = treatments.filter(one => one.arm === 'holdout' || one.campaign.kind === 'newsletter')
    expect(silent.length).toBeGreaterThan(1000)
    expect(silent.filter(one => one.caused)).toEqual([])
  })

  test('are assigned at random in the planted proportions', () => {
    const { promotion, newsletter } = planted.causes.mail
    const share = (kind: string, arm: string, planted: number) => {
      const treated = lives.flatMap(life => life.treatments.filter(one => one.campaign.kind === kind))
      expectHits(
        `${kind} ${arm}`,
        treated.filter(one => one.arm === arm).length,
        treated.map(() => planted),
      )
    }
    share('promotion', 'holdout', promotion.holdout)
    share('promotion', 'discount', promotion.discount)
    share('newsletter', 'holdout', newsletter.holdout)
    share('sales-call', 'holdout', planted.causes.salesCall.holdout)
    const heldOut = lives.filter(life => life.person.heldOutOfDisplay)
    expectHits(
      'display',
      heldOut.length,
      lives.map(() => planted.causes.displayHoldoutShare),
    )
    const ads = heldOut.flatMap(life => life.episodes.filter(one => one.kind === 'visit' && one.channel === 'display'))
    // Only the very first contact may come through an ad.
    expect(ads.length).toBeLessThan(heldOut.length * 0.2)
    for (const life of heldOut) {
      for (const visit of life.episodes) {
        if (visit.kind === 'visit' && visit.channel === 'display') expect(visit.at).toBe(life.person.joinAt)
      }
    }
    const called = lives.flatMap(life =>
      life.episodes.filter(one => one.kind === 'call' && one.direction === 'outbound'),
    )
    const connected = called.filter(one => one.kind === 'call' && one.outcome === 'connected').length
    expectHits(
      'connected',
      connected,
      called.map(() => planted.causes.salesCall.connected),
    )
  })

  test('fall into their windows, inside the simulated days', () => {
    for (const { order } of orders) {
      expect(order.at).toBeGreaterThanOrEqual(options.startAt)
      expect(order.at).toBeLessThan(world.horizonAt)
      if (order.cause.kind === 'own' || order.cause.kind === 'channel') continue
      const { campaignId } = order.cause
      const campaign = world.campaigns.find(one => one.id === campaignId)
      expect(order.at).toBeGreaterThan(campaign?.at ?? Infinity)
      expect(order.at).toBeLessThan((campaign?.at ?? 0) + (campaign?.windowMs ?? 0) + DAY_MS)
    }
  })

  test('can be measured from the calls alone: arms of promotions differ by their effect, newsletters do not', () => {
    // Only what a system would have: assignments and orders, both with an address or a login; counted by true person.
    const few = { ...options, people: 9000 }
    const { personOf } = truth(few)
    const assigned: { person: number; at: number; kind: string; arm: string }[] = []
    const bought = new Map<number, number[]>()
    for (const { call } of simulate(few)) {
      const person = personOf(call.messageId)
      if (person === null || person === undefined) continue
      const at = Date.parse(call.timestamp)
      if (call.event === 'Campaign Assigned' && call.properties?.channel === 'email') {
        const kind = String(call.properties.campaign_id).split('-')[0] ?? ''
        assigned.push({ person, at, kind, arm: String(call.properties.variation) })
      } else if (call.event === 'Order Completed') bought.set(person, [...(bought.get(person) ?? []), at])
    }
    const rate = (kind: string, arm: string) => {
      const members = assigned.filter(one => one.kind === kind && one.arm === arm)
      const counts = members.map(
        one => (bought.get(one.person) ?? []).filter(at => at >= one.at && at < one.at + WEEK_MS).length,
      )
      const mean = sum(counts, value => value) / counts.length
      return { mean, error: Math.sqrt(sum(counts, value => (value - mean) ** 2)) / counts.length }
    }
    const differ = (kind: string, arm: string) => {
      const [treated, control] = [rate(kind, arm), rate(kind, 'holdout')]
      return { lift: treated.mean - control.mean, error: Math.hypot(treated.error, control.error) }
    }
    const discount = differ('promotion', 'discount')
    const expected = assigned
      .filter(one => one.kind === 'promotion' && one.arm === 'discount')
      .map(one => {
        const treatment = lives[one.person]?.treatments.find(other => other.at === one.at)
        return treatment?.effect ?? 0
      })
    const planted = sum(expected, value => value) / expected.length
    expect(discount.lift / discount.error).toBeGreaterThan(2)
    expect(Math.abs(discount.lift - planted)).toBeLessThan(4.5 * discount.error)
    const newsletter = differ('newsletter', 'plain')
    expect(Math.abs(newsletter.lift)).toBeLessThan(4.5 * newsletter.error)
  }, 60_000)
})

describe('tastes', () => {
  const taken = companions.map(pair => pair.take)

  /** By income and category: the share of what is taken on purpose that cannot be a companion. */
  const weights = productWeights(world.catalogue.byCategory)
  const freeOf = (band: (typeof incomeBands)[number]): number[] =>
    world.catalogue.byCategory.map((products, category) => {
      const own = weights[band][category] ?? []
      const free = sum(products, product => (taken.includes(product.name) ? 0 : (own[products.indexOf(product)] ?? 0)))
      return free / sum(own, weight => weight)
    })
  const freeShares = { low: freeOf('low'), middle: freeOf('middle'), high: freeOf('high') }

  test('give each group the categories that it prefers, by the planted shares', () => {
    const groups: TasteGroup[] = ['age:18-29', 'age:60+', 'gender:female', 'income:high', 'children:yes', 'company:yes']
    for (const group of groups) {
      // Companions come on top of tastes; leave out the products that can be one.
      const baskets = orders.filter(({ life }) => life.person.tasteGroups.includes(group))
      const chosen = baskets.flatMap(({ order, life }) =>
        order.lines.filter(line => !taken.includes(line.product.name)).map(line => ({ line, life })),
      )
      // What a person takes on purpose, given that it is none of those.
      const expectations = categories.map(() => 0)
      for (const { life } of chosen) {
        const free = categoryShares(life.person).map(
          (share, index) => share * (freeShares[life.person.incomeBand][index] ?? 0),
        )
        const all = sum(free, share => share)
        free.forEach((share, index) => {
          expectations[index] = (expectations[index] ?? 0) + share / all
        })
      }
      categories.forEach((category, index) => {
        const hits = chosen.filter(({ line }) => line.product.category === category).length
        const expected = expectations[index] ?? 0
        // A product is taken once per basket, which takes a little from the categories that are liked best.
        const slack = 0.03 + 4.5 / Math.sqrt(expected)
        expect(Math.abs(hits / expected - 1), `${group} ${category}`).toBeLessThan(slack)
      })
    }
  })

  test('double the kids’ things for families, as lifts say', () => {
    const share = (wanted: boolean): number => {
      const lines = orders
        .filter(({ life }) => life.person.household.hasChildren === wanted)
        .flatMap(({ order }) => order.lines)
      return lines.filter(line => line.product.category === 'Kids').length / lines.length
    }
    expect(share(true) / share(false)).toBeGreaterThan(2)
  })

  test('put companions into one basket at the planted rate', () => {
    for (const pair of companions) {
      const launchAt = world.catalogue.products.find(product => product.name === pair.take)?.launchAt ?? 0
      const names = orders
        .filter(({ order }) => order.at >= launchAt)
        .map(({ order }) => order.lines.map(line => line.product.name))
        .filter(basket => basket.includes(pair.with))
      const together = names.filter(basket => basket.includes(pair.take)).length
      const error = 4.5 * Math.sqrt((pair.probability * (1 - pair.probability)) / names.length)
      // Some take both by chance: a few in a hundred more.
      expect(together / names.length, pair.with).toBeGreaterThan(pair.probability - error)
      expect(together / names.length, pair.with).toBeLessThan(pair.probability + 0.04 + error)
    }
  })

  test('send goods back at each category’s rate', () => {
    for (const category of categories) {
      const lines = orders.flatMap(({ order }) => order.lines).filter(line => line.product.category === category)
      const returned = lines.filter(line => line.returnedQuantity > 0).length
      expectHits(
        category,
        returned,
        lines.map(() => planted.orders.returnShares[category]),
      )
    }
  })
})
