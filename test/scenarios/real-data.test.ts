/**
 * Real data, imported as a newcomer would: with the command line and the mappings in `examples/`. What people ask of it is
 * asked of ClickHouse and compared with published totals, to the row and to the cent. Passed over where the data sets are
 * absent: they are no part of the project.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { personOf } from '../../src/identity/index.ts'
import { bundleScript, openBrowser, servePages } from '../browser.ts'
import { countsIn, typeImport } from '../throughline.ts'
import { openWorld, type World, WRITE_KEY } from '../world.ts'

const root = join(import.meta.dirname, '../..')
const retail = join(process.env.THROUGHLINE_DATASETS ?? join(root, '../shared/data'), 'retail')
const isThere = existsSync(retail)
if (!isThere) console.warn('The real data sets are absent: the tests over them are skipped.')

const MINUTES = 60_000
let world: World
let folder: string
const open = async () => {
  world = await openWorld()
  folder = mkdtempSync(join(tmpdir(), 'tl-real-'))
}
const close = async () => {
  await world?.close()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

/** Imports a file, waits until profiles and ClickHouse hold it, and tells how long each took. */
async function throughline(file: string, mapping: string): Promise<Record<string, number>> {
  const begin = performance.now()
  const path = join(root, 'examples', mapping)
  const typed = await typeImport(world, [join(retail, file), '--mapping', path, '--rejects', join(folder, file)])
  if (typed.code !== 0) throw new Error(`${file}: ${typed.err}`)
  const imported = performance.now()
  await expect.poll(() => world.settled().then(...isDone), { timeout: 3 * MINUTES }).toBe(true)
  const counts = countsIn(typed)
  const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`
  console.info(
    `${file}: ${counts.rows} rows imported in ${seconds(begin, imported)}, in every profile and in ClickHouse ` +
      `${seconds(imported, performance.now())} later`,
  )
  return counts
}
const isDone = [() => true, () => false] as const

const ask = <Row>(sql: string) => world.running.context.clickhouse.query<Row>(sql)
const cents = (amount: string) => Number(amount).toFixed(2)
const all = (rows: number) => ({ rows, events: rows, stored: rows, deduplicated: 0, rejected: 0 })

describe.skipIf(!isThere)('AdventureWorks', () => {
  beforeAll(open)
  afterAll(close)

  it(
    'every row of every file becomes an event',
    async () => {
      expect(await throughline('AdventureWorks_Customers.csv', 'adventureworks-customers.json')).toEqual(all(18_148))
      expect(await throughline('AdventureWorks_Products.csv', 'adventureworks-products.json')).toEqual(all(293))
      let lines = 0
      for (const year of [2015, 2016, 2017]) {
        const counts = await throughline(`AdventureWorks_Sales_${year}.csv`, 'adventureworks-sales.json')
        expect(counts).toEqual(all(counts.rows as number))
        lines += counts.rows as number
      }
      expect(lines).toBe(56_047)
      expect(await throughline('AdventureWorks_Returns.csv', 'adventureworks-returns.json')).toEqual(all(1_809))
      const sent = 18_148 + 293 + 56_047 + 1_809
      expect(await world.get('/api/v1/accounting')).toMatchObject({ sent, stored: sent, rejected: 0, deduplicated: 0 })
    },
    10 * MINUTES,
  )

  it('18,148 people, 17,416 of whom bought something in 25,164 orders', async () => {
    const people = await ask<{ people: number }>(`
      select count() as people
      from profiles final
      where workspace_id = 1 and kind = 'person'`)
    const buyers = await ask<{ buyers: number; orders: number }>(`
      select
        uniqExact(${personOf('node', 'timestamp')}) as buyers,
        uniqExact(toString(properties.order_id)) as orders
      from events
      where workspace_id = 1 and event = 'Product Purchased'`)
    expect({ ...people[0], ...buyers[0] }).toEqual({ people: 18_148, buyers: 17_416, orders: 25_164 })
  })

  /** Each order line, with the person it led to and the product it sold; a line of an unknown product has no price. */
  const sold = `
    line as (
      select
        ${personOf('node', 'timestamp')} as profile,
        toString(properties.product_id) as product_id,
        toInt64(toString(properties.quantity)) as quantity
      from events
      where workspace_id = 1 and event = 'Product Purchased'
    ), product as (
      select product_id, price, cost
      from products
      where workspace_id = 1
    ), person as (
      select profile, toString(traits.occupation) as occupation, toString(traits.gender) as gender
      from profiles final
      where workspace_id = 1
    )`

  it('revenue and profit are the published ones, to the cent', async () => {
    const totals = await ask<{ revenue: string; profit: string }>(`
      with ${sold}
      select
        toString(sum(quantity * price)) as revenue,
        toString(sum(quantity * (price - cost))) as profit
      from line
      join product using product_id`)
    expect(totals.map(row => [cents(row.revenue), cents(row.profit)])).toEqual([['24914567.18', '10457580.86']])
    const told = await ask<{ revenue: string }>(`
      select toString(sum(revenue)) as revenue
      from events
      where workspace_id = 1 and event = 'Product Purchased'`)
    expect(cents(told[0]?.revenue ?? '')).toBe('24914567.18')
  })

  const profitBy = async (trait: 'occupation' | 'gender') => {
    const rows = await ask<{ name: string; profit: string }>(`
      with ${sold}
      select person.${trait} as name, toString(sum(quantity * (price - cost))) as profit
      from line
      join product using product_id
      join person using profile
      group by name
      order by name`)
    return Object.fromEntries(rows.map(row => [row.name, cents(row.profit)]))
  }

  it('profit by occupation and by gender is the published one, to the cent', async () => {
    expect(await profitBy('occupation')).toEqual({
      Professional: '3571323.37',
      'Skilled Manual': '2248348.73',
      Management: '1953666.02',
      Clerical: '1655767.06',
      Manual: '1028475.68',
    })
    expect(await profitBy('gender')).toEqual({ F: '5253829.20', M: '5138127.98', NA: '65623.68' })
  })

  it(
    'importing again changes nothing',
    async () => {
      const file = 'AdventureWorks_Sales_2015.csv'
      const counts = await throughline(file, 'adventureworks-sales.json')
      expect(counts).toEqual({ ...all(counts.rows as number), stored: 0, deduplicated: counts.rows })
      expect(await profitBy('gender')).toEqual({ F: '5253829.20', M: '5138127.98', NA: '65623.68' })
    },
    2 * MINUTES,
  )

  it(
    'a customer who comes to the site has one timeline, of what she bought and what she looks at',
    async () => {
      const browser = await openBrowser()
      try {
        for (const customer of await loyal()) await visit(browser, customer)
        await world.settled()
        for (const customer of await loyal()) {
          const timeline = await timelineOf(`user_id:${customer}`)
          const names = timeline.map(event => event.event ?? event.type)
          expect(names.slice(0, 3)).toEqual(['Product Viewed', 'identify', 'page'])
          expect(names.filter(name => name === 'Product Purchased').length).toBeGreaterThanOrEqual(3)
          expect(new Set(timeline.map(event => event.source))).toEqual(
            new Set(['website', 'adventureworks-sales', 'adventureworks-customers']),
          )
          // Before she signed in she was nobody: the page she came by is hers all the same.
          expect(timeline[2]?.userId).toBeNull()
          const person = await world.get<{ traits: Record<string, unknown>; eventCount: number }>(
            `/api/v1/profiles/user_id:${customer}`,
          )
          expect(person.eventCount).toBe(timeline.length)
          expect(person.traits).toMatchObject({ plan: 'newsletter', occupation: expect.any(String) })
        }
      } finally {
        await browser.close()
      }
    },
    2 * MINUTES,
  )
})

/** Two customers who bought something in every year. */
async function loyal(): Promise<string[]> {
  const rows = await ask<{ customer: string }>(`
    select simpleJSONExtractString(body, 'userId') as customer
    from events
    where workspace_id = 1 and event = 'Product Purchased'
    group by customer
    having uniqExact(toYear(timestamp)) = 3
    order by customer
    limit 2`)
  return rows.map(row => row.customer)
}

interface TimelineEvent {
  type: string
  event: string | null
  source: string
  userId: string | null
}
const timelineOf = async (reference: string) =>
  (await world.get<{ data: TimelineEvent[] }>(`/api/v1/profiles/${reference}/events?limit=200`)).data

/** A browser of its own: its owner comes to the shop, signs in, and looks at something. */
async function visit(browser: Browser, customer: string): Promise<void> {
  const script = `import { AnalyticsBrowser } from '@segment/analytics-next'
    const analytics = AnalyticsBrowser.load({ writeKey: '${WRITE_KEY}', cdnURL: '${world.running.url}' })
    ;(async () => {
      await analytics.page('Shop')
      await analytics.identify('${customer}', { plan: 'newsletter' })
      await analytics.track('Product Viewed', { product_id: '310' })
      document.title = 'told'
    })()`
  const pages = await servePages({
    '/shop': '<!doctype html><title>Shop</title><script src="/app.js"></script>',
    '/app.js': await bundleScript(script),
  })
  const own = await browser.newContext()
  try {
    const page = await own.newPage()
    await page.goto(`${pages.origin}/shop`)
    await expect
      .poll(
        async () =>
          (await world.get<{ sent: number }>('/api/v1/accounting?sourceId=website')).sent % 3 === 0 && page.title(),
        { timeout: 20_000 },
      )
      .toBe('told')
  } finally {
    await own.close()
    await pages.close()
  }
}

describe.skipIf(!isThere)('Online Retail II', () => {
  beforeAll(open)
  afterAll(close)

  it(
    'every one of 525,461 rows becomes an event',
    async () => {
      expect(await throughline('online_retail_II_2009_2010.csv.gz', 'online-retail-ii.json')).toEqual(all(525_461))
      const stored = await ask<{ rows: number; ids: number }>(`
      select count() as rows, uniqExact(message_id) as ids
      from events
      where workspace_id = 1`)
      expect(stored).toEqual([{ rows: 525_461, ids: 525_461 }])
    },
    10 * MINUTES,
  )

  it('4,383 customers, and quantity times price as published', async () => {
    const totals = await ask<{ people: number; customers: number; amount: string; revenue: string }>(`
      with line as (
        select
          node,
          timestamp,
          toInt64(toString(properties.quantity)) * toDecimal64(toString(properties.price), 4) as amount,
          revenue
        from events
        where workspace_id = 1
      )
      select
        (select count() from profiles final where workspace_id = 1 and kind = 'person') as people,
        uniqExactIf(${personOf('node', 'timestamp')}, node != 0) as customers,
        toString(sum(amount)) as amount,
        toString(sum(revenue)) as revenue
      from line`)
    expect(totals.map(row => ({ ...row, amount: cents(row.amount), revenue: cents(row.revenue) }))).toEqual([
      { people: 4_383, customers: 4_383, amount: '9539484.63', revenue: '9539484.63' },
    ])
  })
})
