import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCall } from '../events/parse.ts'
import { type MappedRow, mapRow, rejectReasons } from './map-row.ts'
import { parseMapping } from './mapping.ts'
import { missingColumns, prepareMapping } from './prepare.ts'
import { breakRow, rowReasons, type Values } from './row.ts'
import type { LookupTables } from './source-row.ts'

function prepare(document: object, tables?: LookupTables) {
  const parsed = parseMapping({ name: 'test', ...document })
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
  return prepareMapping(parsed.mapping, tables)
}
const map = (document: object, values: Values, tables?: LookupTables): MappedRow =>
  mapRow(prepare(document, tables), { number: 1, raw: JSON.stringify(values), values })
const eventOf = (document: object, values: Values) => {
  const mapped = map(document, values)
  if (mapped.reject) throw new Error(`${mapped.reject.reason}: ${mapped.reject.detail}`)
  return mapped.events[0]
}

const people = { kind: 'people', userId: '{id}' }
const events = { kind: 'events', event: 'Product Purchased', userId: '{id}' }
const field = (spec: object) => ({ ...people, traits: { x: { column: 'x', ...spec } } })
const traitOf = (spec: object, x: Values[string]) => eventOf(field(spec), { id: '1', x })?.traits?.x

describe('a row', () => {
  test('of people becomes an identify', () => {
    const mapping = { ...people, traits: { name: '{first} {last}', 'address.city': '{city}', plan: { value: 'free' } } }
    expect(eventOf(mapping, { id: ' 7 ', first: 'Ada', last: 'Lindqvist', city: 'Lund' })).toEqual({
      messageId: expect.stringMatching(/^import-[\w-]{43}$/),
      type: 'identify',
      userId: '7',
      traits: { name: 'Ada Lindqvist', address: { city: 'Lund' }, plan: 'free' },
    })
  })

  test('of companies becomes a group, with or without a person', () => {
    const mapping = { kind: 'companies', groupId: '{domain}', userId: '{owner}', traits: { name: '{name}' } }
    expect(eventOf(mapping, { domain: 'northwind.example', owner: '', name: 'Northwind' })).toMatchObject({
      type: 'group',
      groupId: 'northwind.example',
      traits: { name: 'Northwind' },
    })
    expect(eventOf(mapping, { domain: 'northwind.example', owner: '7', name: '' })).toMatchObject({ userId: '7' })
  })

  test('of products becomes an event of nobody', () => {
    const mapping = {
      kind: 'products',
      properties: { sku: '{sku}', price: { column: 'price', type: 'money', currency: 'EUR' } },
    }
    expect(eventOf(mapping, { sku: 'A', price: '12.50' })).toEqual({
      messageId: expect.any(String),
      type: 'track',
      event: 'Product Updated',
      properties: { sku: 'A', price: 12.5, currency: 'EUR' },
    })
  })

  test('of events becomes a track, page or screen at its time', () => {
    const timestamp = { column: 'at', format: 'dd/MM/yyyy HH:mm', zone: 'Europe/Stockholm' }
    expect(eventOf({ ...events, timestamp }, { id: '1', at: '03/07/2025 18:20' })).toMatchObject({
      type: 'track',
      event: 'Product Purchased',
      timestamp: '2025-07-03T16:20:00.000Z',
    })
    expect(
      eventOf(
        { kind: 'events', type: 'page', pageName: '{page}', anonymousId: '{cookie}' },
        { page: 'Home', cookie: 'c' },
      ),
    ).toMatchObject({
      type: 'page',
      name: 'Home',
      anonymousId: 'c',
    })
    expect(
      eventOf({ kind: 'events', type: 'alias', userId: '{new}', previousId: '{old}' }, { new: 'n', old: 'o' }),
    ).toMatchObject({
      type: 'alias',
      userId: 'n',
      previousId: 'o',
    })
  })

  test('may name its event, and further identifiers', () => {
    const mapping = { kind: 'events', event: '{what}', externalIds: { card_token: '{card}', email: '{mail}' } }
    expect(eventOf(mapping, { what: 'Email Opened', card: 'tok', mail: '' })).toMatchObject({
      event: 'Email Opened',
      context: { externalIds: [{ id: 'tok', type: 'card_token', collection: 'users', encoding: 'none' }] },
    })
  })

  test('is another event where a case holds, which replaces what it names', () => {
    const mapping = {
      ...events,
      properties: { order_id: '{order}', kind: { value: 'sale' } },
      cases: [
        {
          when: {
            any: [
              { column: 'order', startsWith: 'C' },
              { column: 'quantity', lessThan: 0 },
            ],
          },
          event: 'Product Returned',
          properties: { kind: { value: 'return' } },
        },
        { when: { column: 'order', startsWith: 'C1' }, event: 'never reached' },
      ],
    }
    expect(eventOf(mapping, { id: '1', order: '1', quantity: '2' })).toMatchObject({
      event: 'Product Purchased',
      properties: { order_id: '1', kind: 'sale' },
    })
    expect(eventOf(mapping, { id: '1', order: 'C1', quantity: '2' })).toMatchObject({
      event: 'Product Returned',
      properties: { order_id: 'C1', kind: 'return' },
    })
    expect(eventOf(mapping, { id: '1', order: '2', quantity: '-1' })).toMatchObject({ event: 'Product Returned' })
  })

  test('makes every event that the mapping has for it, with ids of their own', () => {
    const mapping = {
      ...events,
      messageId: 'order-{order}',
      also: [
        { kind: 'people', userId: '{id}', traits: { name: '{name}' } },
        { kind: 'events', event: 'Coupon Entered', userId: '{id}', when: { column: 'coupon', empty: false } },
      ],
    }
    const ids = (coupon: string) =>
      map(mapping, { id: '1', order: '9', name: 'Ada', coupon }).events?.map(each => [
        each.messageId,
        each.event ?? each.type,
      ])
    expect(ids('')).toEqual([
      ['order-9', 'Product Purchased'],
      ['order-9#1', 'identify'],
    ])
    expect(ids('SPRING')).toEqual([
      ['order-9', 'Product Purchased'],
      ['order-9#1', 'identify'],
      ['order-9#2', 'Coupon Entered'],
    ])
  })

  test('is taken whole or not at all', () => {
    const mapping = {
      ...events,
      also: [{ kind: 'people', userId: '{id}', traits: { age: { column: 'age', type: 'integer' } } }],
    }
    expect(map(mapping, { id: '1', age: 'old' })).toEqual({
      reject: expect.objectContaining({ reason: 'invalid_integer', column: 'age' }),
    })
  })

  test('keeps columns that nothing names only where the mapping says so', () => {
    const values = { id: '1', name: 'Ada', city: 'Lund', empty: ' ', nested: { a: 1 } }
    expect(eventOf({ ...people, traits: { name: '{name}' } }, values)?.traits).toEqual({ name: 'Ada' })
    expect(eventOf({ ...people, traits: { name: '{name}' }, rest: 'traits' }, values)?.traits).toEqual({
      name: 'Ada',
      city: 'Lund',
      nested: { a: 1 },
    })
  })

  test('reaches into nested values by path, and sees nothing that an object inherits', () => {
    const mapping = {
      ...people,
      traits: { city: '{address.city}', odd: '{constructor}', deep: '{address.toString}', exact: '{emp.rate}' },
    }
    expect(eventOf(mapping, { id: '1', address: { city: 'Lund' }, 'emp.rate': '5' })?.traits).toEqual({
      city: 'Lund',
      exact: '5',
    })
  })

  test('is joined to small files, one through the other', () => {
    const lookups = [
      { as: 'sub', file: 'sub.csv', key: 'k', column: 'subcategory' },
      { as: 'cat', file: 'cat.csv', key: 'k', column: 'sub.category' },
    ]
    const tables = new Map([
      ['sub', new Map([['31', { k: '31', name: 'Helmets', category: '4' }]])],
      ['cat', new Map([['4', { k: '4', name: 'Accessories' }]])],
    ])
    const mapping = {
      kind: 'products',
      lookups,
      properties: { sku: '{sku}', category: '{cat.name}', subcategory: '{sub.name}' },
    }
    expect(map(mapping, { sku: 'A', subcategory: '31' }, tables).events?.[0]?.properties).toEqual({
      sku: 'A',
      category: 'Accessories',
      subcategory: 'Helmets',
    })
    expect(map(mapping, { sku: 'A', subcategory: '99' }, tables).events?.[0]?.properties).toEqual({ sku: 'A' })
  })
})

test('a mapping says which of its columns a file does not have', () => {
  const prepared = prepare(
    {
      ...people,
      lookups: [{ as: 'city', file: 'c.csv', key: 'k', column: 'zip' }],
      traits: { city: '{city.name}', street: '{address.street}', born: { column: 'born', type: 'date' } },
      cases: [{ when: { column: 'kind', equals: 'x' }, require: ['plan'] }],
    },
    new Map([['city', new Map()]]),
  )
  expect(missingColumns(prepared, ['id', 'zip', 'address', 'other']).sort()).toEqual(['born', 'kind', 'plan'])
})

test('no value is long enough to keep its reader busy', () => {
  const long = `1${' '.repeat(300_000)}x${'.'.repeat(300_000)}@`
  for (const type of ['number', 'integer', 'money', 'date', 'datetime', 'email', 'phone', 'boolean']) {
    const started = performance.now()
    expect(map(field({ type }), { id: '1', x: long }).reject).toBeDefined()
    expect(performance.now() - started).toBeLessThan(2_000)
  }
})

describe('a value', () => {
  test.each([
    [{ type: 'string' }, ' two  words ', 'two  words'],
    [{ type: 'string', trim: false }, ' kept ', ' kept '],
    [{ type: 'string', values: { M: 'married' } }, 'M', 'married'],
    [{ type: 'string', values: { M: 'married' } }, 'S', 'S'],
    [{ type: 'string', empty: ['NA'], default: 'none' }, 'NA', 'none'],
    [{ type: 'string' }, 42, '42'],
    [{ type: 'string' }, { a: 1 }, '{"a":1}'],
    [{ type: 'number' }, '-12.50', -12.5],
    [{ type: 'number' }, 12.5, 12.5],
    [{ type: 'number', decimal: ',', thousands: '.' }, '1.249,05', 1249.05],
    [{ type: 'integer' }, '007', 7],
    [{ type: 'boolean' }, 'Yes', true],
    [{ type: 'boolean' }, '0', false],
    [{ type: 'boolean' }, false, false],
    [{ type: 'boolean', true: ['ja'], false: ['nej'] }, 'Nej', false],
    [{ type: 'date', format: ['MM-dd-yyyy', 'M/d/yyyy'] }, '5/27/1930', '1930-05-27'],
    [{ type: 'date', format: ['d/M/yyyy', 'M/d/yyyy'] }, '13/5/2025', '2025-05-13'],
    [{ type: 'date', format: ['d/M/yyyy', 'M/d/yyyy'] }, '5/5/2025', '2025-05-05'],
    [{ type: 'datetime', format: 'epoch-seconds' }, 1_700_000_000, '2023-11-14T22:13:20.000Z'],
    [{ type: 'email' }, 'Ada@Example.com', 'Ada@Example.com'],
    [{ type: 'phone', country: 'SE' }, '070-174 06 05', '+46701740605'],
    [{ type: 'json' }, '{"a":[1]}', { a: [1] }],
    [{ type: 'json' }, [1, 2], [1, 2]],
    [{ type: 'list', separator: ';' }, 'vip; cycling;', ['vip', 'cycling']],
    [{ type: 'list' }, ['a'], ['a']],
    [{ type: 'integer', invalid: 'omit' }, 'many', undefined],
    [{ type: 'integer' }, null, undefined],
  ])('%j of %j is %j', (spec, x, expected) => {
    expect(traitOf(spec, x)).toEqual(expected)
  })

  test('of money keeps its digits, its currency and its product', () => {
    const money = (spec: object, values: Values) =>
      eventOf(
        { ...events, properties: { revenue: { column: 'price', type: 'money', ...spec } } },
        { id: '1', ...values },
      )?.properties
    expect(money({ currency: 'GBP', times: 'n' }, { price: '2.55', n: '12' })).toEqual({
      revenue: 30.6,
      currency: 'GBP',
    })
    expect(money({ decimal: ',', thousands: '.' }, { price: '1.249,00 €' })).toEqual({ revenue: 1249, currency: 'EUR' })
    expect(money({ currency: '{cur}' }, { price: '$5', cur: 'CAD' })).toEqual({ revenue: 5, currency: 'CAD' })
    expect(money({}, { price: '$5' })).toEqual({ revenue: 5 })
    expect(money({}, { price: '(USD 5.10)' })).toEqual({ revenue: -5.1, currency: 'USD' })
    expect(money({}, { price: '-£5.10' })).toEqual({ revenue: -5.1, currency: 'GBP' })
  })
})

describe('a message id', () => {
  const prepared = prepare({ ...people, traits: { name: '{name}' } })
  const idOf = (number: number, raw: string, name = 'test') =>
    mapRow(name === 'test' ? prepared : prepare({ ...people, name }), { number, raw, values: { id: '1' } }).events?.[0]
      ?.messageId

  test('is the same for the same row of the same file, and no other', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.nat(), fc.string(), (number, raw, other, otherRaw) => {
        expect(idOf(number, raw)).toBe(idOf(number, raw))
        if (number !== other || raw !== otherRaw) expect(idOf(number, raw)).not.toBe(idOf(other, otherRaw))
      }),
    )
    expect(idOf(1, 'x')).not.toBe(idOf(1, 'x', 'another-mapping'))
  })

  test('is the text that the mapping makes, or a digest of it where it is long', () => {
    const mapping = { ...people, messageId: 'row-{id}-{line}' }
    expect(eventOf(mapping, { id: '7', line: '2' })?.messageId).toBe('row-7-2')
    expect(eventOf(mapping, { id: '7', line: 'x'.repeat(200) })?.messageId).toMatch(/^import-[\w-]{43}$/)
  })
})

describe('an event may be nobody’s', () => {
  const noId = { id: '', amount: '5' }
  test('where the mapping says optional or none, and not otherwise', () => {
    expect(map(events, noId).reject?.reason).toBe('no_identifier')
    expect(eventOf({ ...events, identity: 'optional' }, noId)).toMatchObject({ event: 'Product Purchased' })
    expect(eventOf({ kind: 'events', event: 'Product Returned', identity: 'none' }, noId)).not.toHaveProperty('userId')
  })

  test('and is somebody’s by an e-mail address, a phone number or a card as well', () => {
    for (const properties of [{ email: '{x}' }, { phone: '{x}' }, { loyalty_id: '{x}' }, { cardToken: '{x}' }]) {
      expect(map({ ...events, properties }, { id: '', x: 'something' }).reject).toBeUndefined()
    }
    expect(map({ ...events, properties: { note: '{x}' } }, { id: '', x: 'something' }).reject?.reason).toBe(
      'no_identifier',
    )
  })
})

describe('every reason to reject a row', () => {
  const lookup = { lookups: [{ as: 'p', file: 'p.csv', key: 'k', column: 'x', required: true }] }
  const twoAmounts = {
    price: { column: 'x', type: 'money', currency: 'EUR' },
    tax: { column: 'x', type: 'money', currency: 'USD' },
  }
  const cases: [string, object, Values][] = [
    ['invalid_number', field({ type: 'number' }), { id: '1', x: '1,5' }],
    ['invalid_integer', field({ type: 'integer' }), { id: '1', x: '1.5' }],
    ['invalid_integer', field({ type: 'integer' }), { id: '1', x: '12345678901234567890' }],
    ['invalid_boolean', field({ type: 'boolean' }), { id: '1', x: 'maybe' }],
    ['invalid_date', field({ type: 'date', format: 'd/M/yyyy' }), { id: '1', x: '2025-01-01' }],
    ['ambiguous_date', field({ type: 'date', format: ['d/M/yyyy', 'M/d/yyyy'] }), { id: '1', x: '3/4/2025' }],
    ['invalid_money', field({ type: 'money' }), { id: '1', x: 'free' }],
    ['invalid_money', field({ type: 'money', times: 'n' }), { id: '1', x: '5', n: 'two' }],
    ['invalid_email', field({ type: 'email' }), { id: '1', x: 'ada(at)example.com' }],
    ['invalid_phone', field({ type: 'phone', country: 'SE' }), { id: '1', x: '12' }],
    ['invalid_json', field({ type: 'json' }), { id: '1', x: '{a' }],
    ['id_too_long', people, { id: 'x'.repeat(501) }],
    ['no_identifier', people, { id: ' ' }],
    ['no_identifier', { ...people, defaults: { empty: ['NA'] } }, { id: 'NA' }],
    ['no_group', { kind: 'companies', groupId: '{x}' }, { x: '' }],
    ['no_previous_id', { kind: 'events', type: 'alias', userId: '{id}', previousId: '{x}' }, { id: '1', x: '' }],
    ['no_event_name', { ...events, event: '{x}' }, { id: '1', x: '' }],
    ['no_product', { kind: 'products', properties: { name: '{x}' } }, { x: 'Lamp' }],
    ['no_timestamp', { ...events, timestamp: { column: 'x' } }, { id: '1', x: '' }],
    ['missing_value', { ...people, require: ['x'] }, { id: '1', x: ' ' }],
    ['missing_value', { ...people, messageId: '{id}-{x}' }, { id: '1', x: '' }],
    ['mixed_currencies', { ...events, properties: twoAmounts }, { id: '1', x: '5' }],
    ['lookup_missed', { ...people, ...lookup }, { id: '1', x: '9' }],
    ['not_selected', { ...people, when: { column: 'x', equals: 'yes' } }, { id: '1', x: 'no' }],
  ]

  test.each(cases)('%s', (reason, document, values) => {
    const mapped = map(document, values, new Map([['p', new Map()]]))
    expect(mapped.reject?.reason).toBe(reason)
    expect(mapped.events).toBeUndefined()
    // The detail may be shown where the row may not.
    for (const value of Object.values(values)) {
      if (typeof value === 'string' && value.length > 3) expect(mapped.reject?.detail).not.toContain(value)
    }
  })

  test('is in this file or in that of the readers', () => {
    const here = new Set<string>(cases.map(([reason]) => reason))
    expect(rejectReasons.filter(reason => !here.has(reason)).sort()).toEqual(
      rowReasons.filter(reason => !here.has(reason)).sort(),
    )
  })

  test('passes on what the reader said of a row', () => {
    const row = { number: 3, ...breakRow('ragged_row', '2 cells where the header has 3', 'a,b', ['a', 'b']) }
    expect(mapRow(prepare(people), row as Parameters<typeof mapRow>[1])).toEqual({
      reject: { reason: 'ragged_row', detail: '2 cells where the header has 3' },
    })
  })
})

test('every event that a mapping makes is let in by the door of the log', () => {
  const outputs = [
    people,
    { ...events, properties: { a: '{x}' } },
    { kind: 'companies', groupId: '{id}', traits: { name: '{x}' } },
    { kind: 'products', properties: { sku: '{id}', name: '{x}' } },
    { kind: 'events', type: 'page', anonymousId: '{id}', pageName: '{x}' },
    { kind: 'events', type: 'alias', userId: '{id}', previousId: '{x}' },
  ]
  const text = fc.string({ maxLength: 30 })
  fc.assert(
    fc.property(fc.constantFrom(...outputs), text, text, (document, id, x) => {
      const mapped = map(document, { id, x })
      for (const event of mapped.events ?? []) {
        const arrival = {
          source: 'import',
          receivedAt: 1_750_000_000_000,
          mayBeNobodys: true,
          newMessageId: () => 'none',
        }
        expect(parseCall(event, arrival)).toHaveProperty('event.messageId', event.messageId)
      }
    }),
  )
})
