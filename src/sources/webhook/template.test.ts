import { describe, expect, test } from 'vitest'
import type { Json } from '../../spec/json.ts'
import { applyWebhookMapping, type WebhookDelivery } from './apply.ts'
import { copyDepthMax } from './limits.ts'
import { type Condition, type Template, type WebhookMapping, webhookMappingSchema } from './mapping.ts'

const delivery = (body: Json, headers: WebhookDelivery['headers'] = {}): WebhookDelivery => ({
  body,
  headers,
  receivedAt: '2026-02-01T00:00:00.000Z',
  source: 'till',
})

const mappingOf = (properties: Record<string, Template>, when?: Condition): WebhookMapping =>
  webhookMappingSchema.parse({
    rules: [{ name: 'one', identity: 'none', when, event: { type: 'track', event: 'X', properties } }],
  })

/** What one template makes of a body: its value, or its faults as texts. */
function valueMade(template: Template, body: Json): Json | undefined | string[] {
  const { events, rejects } = applyWebhookMapping(mappingOf({ p: template }), delivery(body))
  return events[0] ? events[0].properties?.p : rejects[0]?.faults.map(fault => `${fault.at}: ${fault.message}`)
}

const holds = (when: Condition, body: Json): boolean =>
  applyWebhookMapping(mappingOf({}, when), delivery(body)).events.length === 1

describe('a value', () => {
  test.each<[string, Template, Json, Json | undefined]>([
    ['a constant', 7, {}, 7],
    ['false', false, {}, false],
    ['zero found at a path', { path: '$.a' }, { a: 0 }, 0],
    ['an object copied', { path: '$.a' }, { a: { b: [1, null] } }, { b: [1, null] }],
    ['a default for null', { path: '$.a', default: 'none' }, { a: null }, 'none'],
    ['a default for an empty text', { path: '$.a', default: 'none' }, { a: '' }, 'none'],
    ['the first that has a value', { firstOf: [{ path: '$.a' }, { path: '$.b' }, 'c'] }, { a: '', b: 2 }, 2],
    [
      'a conditional constant',
      { firstOf: [{ constant: 'yes', when: { path: '$.a', equals: 1 } }, 'no'] },
      { a: 2 },
      'no',
    ],
    ['a constant that looks like an expression', { constant: { path: '$.a' } }, { a: 1 }, { path: '$.a' }],
    [
      'a nested object without what is missing',
      { a: { path: '$.a' }, b: { c: { path: '$.c' } } },
      { c: 1 },
      { b: { c: 1 } },
    ],
    ['nothing where an object has nothing', { a: { path: '$.a' } }, {}, undefined],
    ['a list without what is missing', [{ path: '$.a' }, { path: '$.b' }], { b: 1 }, [1]],
    ['a list of one path', { collect: '$.l[*].n' }, { l: [{ n: 1 }, {}, { n: 3 }] }, [1, 3]],
    [
      'a list of objects where a condition holds',
      { collect: '$.l', where: { path: '@.k', equals: 'a' }, item: { n: { path: '@.n' }, all: { path: '$.x' } } },
      {
        x: 9,
        l: [
          { k: 'a', n: 1 },
          { k: 'b', n: 2 },
        ],
      },
      [{ n: 1, all: 9 }],
    ],
    [
      'an object made of names and values',
      { collect: '$.l', key: '@.name', item: { path: '@.values', as: { join: ', ' } } },
      {
        l: [
          { name: 'q1', values: ['a', 'b'] },
          { name: '', values: ['c'] },
          { values: ['d'] },
          { name: 7, values: 'e' },
        ],
      },
      { q1: 'a, b', '7': 'e' },
    ],
    [
      'a difference, exact',
      { difference: [{ path: '$.a' }, { path: '$.b' }, { path: '$.none' }] },
      { a: 0.3, b: '0.1' },
      0.2,
    ],
    ['no difference from nothing', { difference: [{ path: '$.none' }, 1] }, {}, undefined],
  ])('%s', (_title, template, body, expected) => expect(valueMade(template, body)).toEqual(expected))

  test.each<[Json, Json, Json | undefined]>([
    ['string', 12, '12'],
    ['number', ' 12.50 ', 12.5],
    ['boolean', 'Yes', true],
    ['boolean', 0, false],
    ['time', '2026-01-05T10:15:00+01:00', '2026-01-05T09:15:00.000Z'],
    ['epoch', 1767261600, '2026-01-01T10:00:00.000Z'],
    ['epoch', '1767261600000', '2026-01-01T10:00:00.000Z'],
    [['trim', 'lowerCase'], ' Ada@Example.COM ', 'ada@example.com'],
    ['upperCase', 'eur', 'EUR'],
    ['first', [3, 4], 3],
    ['last', [3, 4], 4],
    ['count', [3, 4], 2],
    ['first', 'alone', 'alone'],
    ['sum', ['0.10', 0.2], 0.3],
    [{ join: '-' }, ['a', null, 'b', 3], 'a-b-3'],
    [{ minorUnits: 'usd' }, 1999, 19.99],
    [{ minorUnits: 'JPY' }, '1999', 1999],
    [{ minorUnits: 'KWD' }, 1999, 1.999],
    [{ minorUnits: 'UGX' }, 500, 500],
    [{ minorUnits: 'UGX', table: 'stripe' }, 500, 5],
    [{ minorUnits: { path: '$.c' } }, 5, 0.05],
    [{ lookup: { a: 'A' } }, 'a', 'A'],
    [{ lookup: { a: 'A' } }, 'b', 'b'],
    [{ lookup: { a: 'A' }, otherwise: '?' }, 'toString', '?'],
  ])('as %j turns %j into %j', (as, value, expected) => {
    const template = { path: '$.v', as } as Template
    expect(valueMade(template, { v: value, c: 'eur' })).toEqual(expected)
  })

  test.each<[Json, Json, string]>([
    ['number', 'ada@example.com', 'is a text that is no number'],
    ['number', '12345678901234567', 'has more digits than a JSON number keeps'],
    ['string', { a: 1 }, 'is an object, not a text'],
    ['boolean', 'perhaps', 'is a text that is neither true nor false'],
    ['time', '13.05.2026', 'is a text that is no point in time'],
    ['time', 1767261600, 'is a number that is no point in time'],
    ['epoch', -5, 'is a number that is no point in time'],
    ['trim', 5, 'is a number, not a text'],
    ['sum', [1, 'x'], 'holds a text that is no number'],
    [{ join: ',' }, [{ a: 1 }], 'holds lists or objects, which cannot be joined'],
    [{ minorUnits: { path: '$.none' } }, 5, 'has no three-letter currency beside it'],
  ])('as %j refuses %j with words that do not quote it', (as, value, message) => {
    expect(valueMade({ path: '$.v', as } as Template, { v: value })).toEqual([`event.properties.p: ${message}`])
  })

  test('a default stands in for what is missing, not for what is wrong', () => {
    expect(valueMade({ path: '$.v', as: 'number', default: 0 }, {})).toBe(0)
    expect(valueMade({ path: '$.v', as: 'number', default: 0 }, { v: 'x' })).toEqual([
      expect.stringContaining('no number'),
    ])
  })

  test('a copied object cannot reach into the language, and has a depth', () => {
    const hostile = JSON.parse('{ "a": { "__proto__": { "polluted": true }, "b": 1 } }')
    expect(valueMade({ path: '$.a' }, hostile)).toEqual({ b: 1 })
    let deep: Json = 1
    for (let depth = 0; depth < copyDepthMax; depth++) deep = { d: deep }
    expect(valueMade({ path: '$.a' }, { a: deep })).toEqual([
      `event.properties.p: is nested deeper than ${copyDepthMax} levels`,
    ])
  })

  test('what no store can keep is replaced: NUL, half a character, a number beyond all numbers', () => {
    const body = JSON.parse('{ "a": { "n\\u0000": "\\u0000x\\ud83d", "big": 1e999 }, "l": [{ "k": "\\u0000" }] }')
    expect(valueMade({ path: '$.a' }, body)).toEqual({ 'n\uFFFD': '\uFFFDx\uFFFD', big: null })
    expect(valueMade({ collect: '$.l', key: '@.k', item: 1 }, body)).toEqual({ '\uFFFD': 1 })
  })

  test('a key taken from the delivery cannot reach into the language', () => {
    const body = {
      l: [
        { n: '__proto__', v: { polluted: true } },
        { n: 'ok', v: 1 },
      ],
    }
    const value = valueMade({ collect: '$.l', key: '@.n', item: { path: '@.v' } }, body)
    expect(value).toEqual({ ok: 1 })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('a condition', () => {
  test.each<[Condition, Json, boolean]>([
    [{ path: '$.a', equals: 'x' }, { a: 'x' }, true],
    [{ path: '$.a', equals: 'X' }, { a: 'x' }, false],
    [{ path: '$.a', equals: 'X', ignoreCase: true }, { a: 'x' }, true],
    [{ path: '$.a', equals: 1 }, { a: '1' }, true],
    [{ path: '$.a', equals: true }, { a: 'true' }, true],
    [{ path: '$.a', equals: null }, {}, true],
    [{ path: '$.a', equals: '' }, {}, false],
    [{ path: '$.a', equals: { path: '$.b' } }, { a: 1, b: 1 }, true],
    [{ path: '$.a', equals: { path: '$.b' } }, {}, false],
    [{ path: '$.a', equals: { path: '$.b' } }, { a: {}, b: {} }, false],
    [{ path: '$.a', in: ['x', 2] }, { a: 2 }, true],
    [{ path: '$.a', in: [] }, { a: 2 }, false],
    [{ path: '$.a', startsWith: 'cust' }, { a: 'customer' }, true],
    [{ path: '$.a', startsWith: '' }, {}, false],
    [{ path: '$.a', greaterThan: 1.5 }, { a: '1.6' }, true],
    [{ path: '$.a', greaterThan: 1.5 }, { a: 1.5 }, false],
    [{ path: '$.a', greaterThan: 1.5 }, { a: 'x' }, false],
    [{ path: '$.a', exists: true }, { a: false }, true],
    [{ path: '$.a', exists: true }, { a: '' }, false],
    [{ path: '$.a', exists: false }, { a: null }, true],
    [
      {
        all: [
          { path: '$.a', equals: 1 },
          { path: '$.b', equals: 2 },
        ],
      },
      { a: 1, b: 3 },
      false,
    ],
    [
      {
        any: [
          { path: '$.a', equals: 1 },
          { path: '$.b', equals: 2 },
        ],
      },
      { a: 1, b: 3 },
      true,
    ],
    [{ not: { path: '$.a', equals: 1 } }, { a: 1 }, false],
    [{ path: 'headers.x-topic', equals: 'orders' }, {}, false],
  ])('%j of %j is %s', (when, body, expected) => expect(holds(when, body)).toBe(expected))

  test('reads headers in any case', () => {
    const mapping = mappingOf({}, { path: 'headers.x-topic', equals: 'orders' })
    expect(applyWebhookMapping(mapping, delivery({}, { 'X-Topic': 'orders' })).events).toHaveLength(1)
    expect(applyWebhookMapping(mapping, delivery({}, { 'x-topic': ['orders'] })).events).toHaveLength(1)
  })
})
