/**
 * The examples over the real files they are made for. Skipped, saying so, where the data sets are absent: they are no
 * part of the project. Totals are added up as exact decimals and compared with the published ones to the cent.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Json } from '../spec/json.ts'
import { add, multiply } from './decimal.ts'
import { guessMapping } from './guess.ts'
import { type MappedEvent, mapRow, type RejectReason } from './map-row.ts'
import { parseMapping } from './mapping.ts'
import { prepareMapping } from './prepare.ts'
import { preview } from './preview.ts'
import { openRows, readLookups } from './read.ts'
import type { Row } from './row.ts'

const root = join(import.meta.dirname, '../..')
const datasets = process.env.THROUGHLINE_DATASETS ?? join(root, '../shared/data')
const retail = join(datasets, 'retail')
const isThere = existsSync(retail)
if (!isThere) console.warn('The real data sets are absent: the tests over them are skipped.')

interface Imported {
  rows: number
  events: MappedEvent[]
  rejects: { number: number; reason: RejectReason }[]
}

/** Maps whole files with one example, one file after another. */
async function importFiles(example: string, ...files: string[]): Promise<Imported> {
  const parsed = parseMapping(JSON.parse(readFileSync(join(root, 'examples', example), 'utf8')))
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
  const { mapping } = parsed
  const prepared = prepareMapping(mapping, await readLookups(mapping, file => join(retail, file)))
  const imported: Imported = { rows: 0, events: [], rejects: [] }
  for (const file of files) {
    const opened = await openRows(join(retail, file), mapping.format ? { format: mapping.format } : {})
    for await (const row of opened.rows) {
      imported.rows += 1
      const mapped = mapRow(prepared, row)
      if (mapped.reject) imported.rejects.push({ number: row.number, reason: mapped.reject.reason })
      else imported.events.push(...mapped.events)
    }
  }
  return imported
}

const distinct = (values: unknown[]) => new Set(values).size
const sum = (values: (Json | undefined)[]) =>
  values.reduce<string>((total, value) => add(total, String(value ?? 0)), '0')
const cents = (total: string) => Number(total).toFixed(2)

describe.skipIf(!isThere)('AdventureWorks', () => {
  const years = ['2015', '2016', '2017'].map(year => `AdventureWorks_Sales_${year}.csv`)

  test('every customer becomes one person, birth dates month first in both spellings', async () => {
    const { rows, events, rejects } = await importFiles('adventureworks-customers.json', 'AdventureWorks_Customers.csv')
    expect({ rows, events: events.length, rejects }).toEqual({ rows: 18_148, events: 18_148, rejects: [] })
    expect(distinct(events.map(event => event.userId))).toBe(18_148)
    expect(distinct(events.map(event => event.messageId))).toBe(18_148)
    const birthdays = events.map(event => event.traits?.birthday)
    expect(birthdays.slice(0, 3)).toEqual(['1930-01-03', '1930-01-11', '1930-05-27'])
    // 73 people are born from 2010 to 2029 here: years of two digits that a spreadsheet put into the wrong century.
    expect(birthdays.filter(day => String(day) >= '2000')).toHaveLength(73)
    const accented = events.find(event => event.userId === '11253')
    expect(accented?.traits?.firstName).toBe('JOS\u00C9')
  })

  test('every product becomes one event of nobody, with price, cost and category', async () => {
    const { rows, events, rejects } = await importFiles('adventureworks-products.json', 'AdventureWorks_Products.csv')
    expect({ rows, events: events.length, rejects }).toEqual({ rows: 293, events: 293, rejects: [] })
    expect(events.every(event => event.userId === undefined && event.event === 'Product Updated')).toBe(true)
    expect(distinct(events.map(event => event.properties?.category))).toBe(4)
    expect(
      events.every(event => typeof event.properties?.price === 'number' && event.properties.currency === 'USD'),
    ).toBe(true)
  })

  test('lines, products and people give the published revenue and profit to the cent', async () => {
    const people = await importFiles('adventureworks-customers.json', 'AdventureWorks_Customers.csv')
    const products = await importFiles('adventureworks-products.json', 'AdventureWorks_Products.csv')
    const lines = await importFiles('adventureworks-sales.json', ...years)
    expect({ rows: lines.rows, events: lines.events.length, rejects: lines.rejects }).toEqual({
      rows: 56_047,
      events: 56_047,
      rejects: [],
    })
    expect(distinct(lines.events.map(event => event.messageId))).toBe(56_047)
    expect(distinct(lines.events.map(event => event.properties?.order_id))).toBe(25_164)
    expect(distinct(lines.events.map(event => event.userId))).toBe(17_416)

    const product = new Map(products.events.map(event => [event.properties?.product_id, event.properties]))
    const traits = new Map(people.events.map(event => [event.userId, event.traits]))
    let revenue = '0'
    const profit: Record<string, string> = { all: '0' }
    let unknown = 0
    for (const { userId, properties } of lines.events) {
      const found = product.get(properties?.product_id)
      if (!found) {
        unknown += 1
        continue
      }
      const quantity = String(properties?.quantity)
      revenue = add(revenue, multiply(quantity, String(found.price)))
      const gain = multiply(quantity, add(String(found.price), multiply('-1', String(found.cost))))
      const person = traits.get(userId)
      for (const key of ['all', String(person?.occupation), String(person?.gender)])
        profit[key] = add(profit[key] ?? '0', gain)
    }
    expect(unknown).toBe(1)
    expect(cents(revenue)).toBe('24914567.18')
    expect(cents(sum(lines.events.map(event => event.properties?.revenue)))).toBe('24914567.18')
    expect(Object.fromEntries(Object.entries(profit).map(([key, total]) => [key, cents(total)]))).toEqual({
      all: '10457580.86',
      Professional: '3571323.37',
      'Skilled Manual': '2248348.73',
      Management: '1953666.02',
      Clerical: '1655767.06',
      Manual: '1028475.68',
      F: '5253829.20',
      M: '5138127.98',
      NA: '65623.68',
    })
  })

  test('every return becomes an event of nobody', async () => {
    const { rows, events, rejects } = await importFiles('adventureworks-returns.json', 'AdventureWorks_Returns.csv')
    expect({ rows, events: events.length, rejects }).toEqual({ rows: 1_809, events: 1_809, rejects: [] })
    expect(distinct(events.map(event => event.messageId))).toBe(1_809)
    expect(events.every(event => event.userId === undefined && event.properties?.country !== undefined)).toBe(true)
  })
})

describe.skipIf(!isThere)('Online Retail II', () => {
  test('every one of 525,461 rows becomes an event, and their revenue is that of the file', async () => {
    const { rows, events, rejects } = await importFiles('online-retail-ii.json', 'online_retail_II_2009_2010.csv.gz')
    expect({ rows, sum: events.length + rejects.length, rejects }).toEqual({ rows: 525_461, sum: 525_461, rejects: [] })
    expect(distinct(events.map(event => event.messageId))).toBe(525_461)
    const known = events.filter(event => event.userId !== undefined)
    expect({ people: distinct(known.map(event => event.userId)), nobodys: rows - known.length }).toEqual({
      people: 4_383,
      nobodys: 107_927,
    })
    expect(cents(sum(events.map(event => event.properties?.revenue)))).toBe('9539484.63')
    const names: Record<string, number> = {}
    for (const { event = '' } of events) names[event] = (names[event] ?? 0) + 1
    expect(names).toEqual({
      'Product Purchased': 513_131,
      'Product Returned': 10_206,
      'Stock Adjusted': 2_121,
      'Bad Debt Adjusted': 3,
    })
  }, 60_000)
})

describe.skipIf(!isThere)('Superstore', () => {
  test('gives the published orders, customers, sales, and profit by segment', async () => {
    const { rows, events, rejects } = await importFiles('superstore.json', 'superstore.csv')
    const lines = events.filter(event => event.type === 'track')
    const people = events.filter(event => event.type === 'identify')
    expect({ rows, lines: lines.length, people: people.length, rejects }).toEqual({
      rows: 9_994,
      lines: 9_994,
      people: 9_994,
      rejects: [],
    })
    expect(distinct(lines.map(event => event.properties?.order_id))).toBe(5_009)
    expect(distinct(lines.map(event => event.userId))).toBe(793)
    expect(cents(sum(lines.map(event => event.properties?.revenue)))).toBe('2297200.86')
    const segment = new Map(people.map(event => [event.userId, String(event.traits?.segment)]))
    const profitOf = (name?: string) =>
      cents(
        sum(lines.filter(event => !name || segment.get(event.userId) === name).map(event => event.properties?.profit)),
      )
    expect([profitOf(), profitOf('Consumer'), profitOf('Corporate'), profitOf('Home Office')]).toEqual([
      '286397.02',
      '134119.21',
      '91979.13',
      '60298.68',
    ])
  })
})

describe.skipIf(!isThere)('guesses over real files', () => {
  async function guessFile(file: string) {
    const opened = await openRows(join(datasets, file))
    const rows: Row[] = []
    for await (const row of opened.rows) if (rows.push(row) >= 2_000) break
    const guess = guessMapping(opened.columns, rows, file)
    return { ...guess, look: preview(prepareMapping(guess.mapping), opened.columns, rows) }
  }

  test.each([
    ['retail/AdventureWorks_Products.csv', 'products', 'Product Updated'],
    ['retail/AdventureWorks_Sales_2016.csv', 'events', 'Product Purchased'],
    ['retail/AdventureWorks_Returns.csv', 'events', 'Product Returned'],
    ['retail/online_retail_II_2009_2010.csv.gz', 'events', 'Product Purchased'],
    ['retail/superstore.csv', 'events', 'Product Purchased'],
    ['identity/fake_1000.csv', 'people', 'identify'],
    ['propensity/crm_accounts.csv', 'companies', 'group'],
    ['propensity/telco-churn-folds-0-3.csv', 'people', 'identify'],
  ])('%s are %s, and each row of the sample is read', async (file, kind, name) => {
    const { mapping, look } = await guessFile(file)
    expect(mapping.kind).toBe(kind)
    expect(look.rejectedByReason).toEqual(file.startsWith('identity') ? { no_identifier: expect.any(Number) } : {})
    expect(Object.keys(look.eventsByName)).toContain(name)
  })

  test('the birth dates of AdventureWorks raise a question, whose likely answer is the right one', async () => {
    const { columns, look } = await guessFile('retail/AdventureWorks_Customers.csv')
    const question = columns.find(each => each.column === 'BirthDate')?.question
    expect(question?.options[0]).toMatchObject({ label: 'Month first', value: { format: ['M/d/yyyy', 'M-d-yyyy'] } })
    expect(Object.keys(look.rejectedByReason)).toEqual(['ambiguous_date'])
  })
})
