import { expect, test } from 'vitest'
import { parseMapping } from './mapping.ts'
import { prepareMapping } from './prepare.ts'
import { preview } from './preview.ts'
import type { Row } from './row.ts'

const columns = ['id', 'sku', 'price']
const rows: Row[] = [
  ['1', 'A', '5'],
  ['1', 'B', 'free'],
  ['', 'A', '7'],
  ['2', 'A', '5'],
].map(([id = '', sku = '', price = ''], index) => ({ number: index + 1, raw: '', values: { id, sku, price } }))
const broken: Row = {
  number: 5,
  raw: 'x',
  cells: ['x'],
  reject: { reason: 'ragged_row', detail: '1 cell where the header has 3' },
}

function look(shown?: number) {
  const parsed = parseMapping({
    name: 'test',
    kind: 'events',
    event: 'Product Purchased',
    userId: '{id}',
    identity: 'optional',
    messageId: 'sale-{sku}',
    properties: { price: { column: 'price', type: 'money' } },
  })
  if ('faults' in parsed) throw new Error('invalid')
  return preview(prepareMapping(parsed.mapping), columns, [...rows, broken], shown)
}

test('a preview says what the rows become, and counts all of them', () => {
  expect(look()).toMatchObject({
    rows: 5,
    rejectedByReason: { invalid_money: 1, ragged_row: 1 },
    eventsByName: { 'Product Purchased': 3 },
    users: 2,
    personless: 1,
    rejects: [{ row: 2 }, { row: 5 }],
  })
})

test('a preview shows the first rows, each with its events or its reason', () => {
  const { shown } = look(2)
  expect(shown).toMatchObject([
    { row: 1, events: [{ userId: '1', properties: { price: 5 } }] },
    { row: 2, reject: { reason: 'invalid_money', column: 'price' } },
  ])
  expect(shown).toHaveLength(2)
})

test('a preview warns of rows that would pass for repetitions', () => {
  expect(look().repeated).toBe(2)
})

test('a preview describes each column', () => {
  expect(look().columns).toEqual([
    { column: 'id', filled: 3, empty: 1, distinct: 2, examples: ['1', '2'], longest: 1, rejected: 0 },
    { column: 'sku', filled: 4, empty: 0, distinct: 2, examples: ['A', 'B'], longest: 1, rejected: 0 },
    { column: 'price', filled: 4, empty: 0, distinct: 3, examples: ['5', 'free', '7'], longest: 4, rejected: 1 },
  ])
})
