import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../spec/json.ts'
import { applyWebhookMapping, type WebhookDelivery } from './apply.ts'
import { bodyDepthMax, elementsMax, eventsPerDeliveryMax } from './limits.ts'
import { type EventTemplate, type WebhookMapping, webhookMappingSchema } from './mapping.ts'
import { webhookPresets } from './presets/index.ts'

const receivedAt = '2026-02-01T00:00:00.000Z'
const delivery = (body: Json, headers: WebhookDelivery['headers'] = {}): WebhookDelivery => ({
  body,
  headers,
  receivedAt,
  source: 'till',
})

/** A mapping of one rule that belongs to nobody, with these parts. */
const mappingOf = (
  event: Partial<EventTemplate>,
  rule: Partial<WebhookMapping['rules'][number]> = {},
): WebhookMapping =>
  webhookMappingSchema.parse({
    rules: [{ name: 'one', identity: 'none', event: { type: 'track', event: 'X', ...event }, ...rule }],
  })

describe('an event', () => {
  test('has the fields of its template, when it was received if it names no time, and where it came from', () => {
    const mapping: WebhookMapping = {
      deliveryId: { path: '$.id' },
      rules: [
        {
          name: 'signed-up',
          event: {
            type: 'track',
            event: 'Signed Up',
            userId: { path: '$.user' },
            groupId: { path: '$.company' },
            externalIds: {
              loyalty_id: { path: '$.card' },
              card_token: { path: '$.tokens' },
              crm_contact: { path: '$.none' },
            },
            context: { ip: { path: '$.ip' }, externalIds: [{ id: 'i', type: 't' }] },
            properties: { plan: { path: '$.plan' } },
          },
        },
      ],
    }
    const body = {
      id: 'd1',
      user: 42,
      company: 'acme',
      card: 7,
      tokens: ['t1', 't2', 't1'],
      ip: '192.0.2.1',
      plan: 'pro',
    }
    expect(applyWebhookMapping(mapping, delivery(body))).toEqual({
      events: [
        {
          messageId: expect.stringMatching(/^webhook-[\w-]{24}$/),
          type: 'track',
          event: 'Signed Up',
          userId: '42',
          groupId: 'acme',
          properties: { plan: 'pro' },
          context: {
            ip: '192.0.2.1',
            externalIds: [
              { id: 'i', type: 't' },
              { id: '7', type: 'loyalty_id', collection: 'users', encoding: 'none' },
              { id: 't1', type: 'card_token', collection: 'users', encoding: 'none' },
              { id: 't2', type: 'card_token', collection: 'users', encoding: 'none' },
            ],
            webhook: { rule: 'signed-up', delivery: 'd1' },
          },
          timestamp: receivedAt,
        },
      ],
      rejects: [],
    })
  })

  test('that names nobody is rejected, unless the rule allows it', () => {
    const nobody = (event: Partial<EventTemplate>) =>
      applyWebhookMapping(mappingOf(event, { identity: 'required' }), delivery({})).rejects.map(reject => reject.reason)
    expect(nobody({})).toEqual(['missing_identifier'])
    expect(nobody({ userId: { path: '$.none' } })).toEqual(['missing_identifier'])
    expect(nobody({ type: 'group', groupId: 'g', traits: { email: 'office@example.com' } })).toEqual([
      'missing_identifier',
    ])
    expect(nobody({ anonymousId: 'a' })).toEqual([])
    expect(nobody({ traits: { email: 'ada@example.com' } })).toEqual([])
    expect(nobody({ context: { traits: { phone: '+4930901820' } } })).toEqual([])
    expect(nobody({ externalIds: { loyalty_id: 'L1' } })).toEqual([])
    expect(applyWebhookMapping(mappingOf({}, { identity: 'none' }), delivery({})).events).toHaveLength(1)
  })

  test.each<[Partial<EventTemplate>, string, string]>([
    [{ event: { path: '$.none' } }, 'missing_event', 'Rule one: A track call needs the name of its event.'],
    [{ type: 'group' }, 'missing_group_id', 'Rule one: A group call needs a groupId.'],
    [{ type: 'alias', userId: 'u' }, 'missing_previous_id', 'Rule one: An alias call needs a previousId and a userId.'],
    [{ userId: { path: '$' } }, 'invalid_webhook', 'Rule one: event.userId must be a text, not a list or an object.'],
    [
      { timestamp: { path: '$.at' } },
      'invalid_webhook',
      'Rule one: event.timestamp is no point in time; for numbers since 1970 use "as": "epoch".',
    ],
    [
      { properties: { total: { path: '$.at', as: 'boolean' } } },
      'invalid_webhook',
      'Rule one: event.properties.total ($.at) is a number that is neither true nor false.',
    ],
  ])('%j is rejected as %s', (event, reason, detail) => {
    const { events, rejects } = applyWebhookMapping(mappingOf(event), delivery({ at: 1767261600 }))
    expect(events).toEqual([])
    expect(rejects).toEqual([expect.objectContaining({ reason, detail, rule: 'one', item: 0 })])
  })

  test('of one element that is wrong does not keep back the others', () => {
    const mapping = mappingOf({ properties: { n: { path: '@.n', as: 'number' } } }, { each: '$.l' })
    const { events, rejects } = applyWebhookMapping(mapping, delivery({ l: [{ n: 1 }, { n: 'x' }, { n: 3 }] }))
    expect(events.map(event => event.properties?.n)).toEqual([1, 3])
    expect(rejects.map(reject => reject.item)).toEqual([1])
  })
})

describe('a delivery', () => {
  const two: WebhookMapping = {
    rules: [
      {
        name: 'a',
        when: { path: '$.kind', in: ['a', 'both'] },
        identity: 'none',
        event: { type: 'track', event: 'A' },
      },
      {
        name: 'b',
        when: { path: '$.kind', in: ['b', 'both'] },
        identity: 'none',
        event: { type: 'track', event: 'B' },
      },
    ],
  }

  test('makes an event of every rule that applies', () => {
    const names = (kind: string) => applyWebhookMapping(two, delivery({ kind })).events.map(event => event.event)
    expect(names('both')).toEqual(['A', 'B'])
    expect(names('b')).toEqual(['B'])
  })

  test('that no rule speaks of is ignored, which is no rejection', () => {
    expect(applyWebhookMapping(two, delivery({ kind: 'c' }))).toEqual({
      events: [],
      rejects: [],
      ignored: 'no_rule_matched',
    })
  })

  test('too deep, too long or too much work is rejected, keeping what was made before', () => {
    let deep: Json = 1
    for (let depth = 0; depth <= bodyDepthMax; depth++) deep = [deep]
    expect(applyWebhookMapping(two, delivery(deep)).rejects.map(reject => reject.reason)).toEqual(['too_deep'])

    const each = mappingOf({ properties: { all: { path: '$' } } }, { each: '$.l' })
    const long = applyWebhookMapping(
      mappingOf({}, { each: '$.l' }),
      delivery({ l: Array(eventsPerDeliveryMax + 1).fill(1) }),
    )
    expect(long.events).toHaveLength(eventsPerDeliveryMax)
    expect(long.rejects.map(reject => reject.reason)).toEqual(['batch_overflow'])

    const large = applyWebhookMapping(each, delivery({ l: Array(900).fill(1), text: 'x'.repeat(1_000_000) }))
    expect(large.events.length).toBeLessThan(10)
    expect(large.rejects.map(reject => reject.reason)).toEqual(['invalid_webhook'])
    expect(large.rejects[0]?.detail).toContain('too large')
  })

  test('with more elements than may be looked at says so, even if none of those looked at applies', () => {
    const mapping = mappingOf({}, { each: '$.l', when: { path: '@', equals: 2 } })
    const { rejects } = applyWebhookMapping(mapping, delivery({ l: Array(elementsMax + 1).fill(1) }))
    expect(rejects.map(reject => reject.reason)).toEqual(['batch_overflow'])
  })
})

describe('a messageId', () => {
  const ids = (mapping: WebhookMapping, from: WebhookDelivery) =>
    applyWebhookMapping(mapping, from).events.map(event => event.messageId)
  const perItem = { ...mappingOf({}, { each: '$.l' }), deliveryId: { path: '$.id' } } as WebhookMapping

  test('is the same for the vendor’s retry, whatever else in it changed, and another for another delivery', () => {
    const first = ids(perItem, delivery({ id: 'd1', l: [1, 2], attempt: 1 }))
    expect(new Set(first).size).toBe(2)
    expect(ids(perItem, delivery({ id: 'd1', l: [1, 2], attempt: 2 }))).toEqual(first)
    expect(ids(perItem, delivery({ id: 'd2', l: [1, 2], attempt: 1 }))).not.toContain(first[0])
  })

  test('of the same vendor id in another source is another', () => {
    const body = { id: 'd1', l: [1] }
    expect(ids(perItem, delivery(body))).not.toEqual(ids(perItem, { ...delivery(body), source: 'other' }))
  })

  test('without a vendor’s id follows the content, not the order of its keys', () => {
    const mapping = mappingOf({})
    expect(ids(mapping, delivery({ a: 1, b: [2] }))).toEqual(ids(mapping, delivery({ b: [2], a: 1 })))
    expect(ids(mapping, delivery({ a: 1, b: [2] }))).not.toEqual(ids(mapping, delivery({ a: 1, b: [3] })))
  })

  test('of the event’s own id does not depend on its place in the delivery', () => {
    const mapping = mappingOf({ messageId: { path: '@.mid' } }, { each: '$.l' })
    const [a, b] = ids(mapping, delivery({ l: [{ mid: 'a' }, { mid: 'b' }] }))
    expect(ids(mapping, delivery({ l: [{ mid: 'b' }] }))).toEqual([b])
    expect(a).not.toBe(b)
  })

  test('of several parts needs them all: one part alone would stand for many events', () => {
    const mapping = mappingOf({ messageId: [{ path: '$.store' }, { path: '$.receipt' }] })
    const whole = ids(mapping, delivery({ store: 'S1', receipt: 1, note: 'a' }))
    expect(ids(mapping, delivery({ store: 'S1', receipt: 1, note: 'b' }))).toEqual(whole)
    expect(ids(mapping, delivery({ store: 'S1', note: 'a' }))).not.toEqual(
      ids(mapping, delivery({ store: 'S1', note: 'b' })),
    )
  })
})

describe('under any input', () => {
  const mappings = [
    ...webhookPresets.map(preset => preset.mapping),
    mappingOf({ properties: { all: { path: '$' }, sum: { collect: '$', as: 'sum' } } }, { each: '$' }),
  ]
  const hostileKeys = fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'data',
    'object',
    'entry',
    'changes',
  )
  const hostileJson = fc.letrec<{ value: Json }>(tie => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.jsonValue() as fc.Arbitrary<Json>,
      fc.constantFrom<Json>('\u0000', '\uD800', 1e308, -0, 'customer.subscription.created', 'leadgen'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc
        .array(fc.tuple(hostileKeys, tie('value')), { maxLength: 4 })
        .map(
          pairs =>
            JSON.parse(
              `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
            ) as Json,
        ),
    ),
  })).value

  test('no JSON makes a mapping throw, and the same delivery gives the same outcome', () => {
    fc.assert(
      fc.property(fc.constantFrom(...mappings), hostileJson, (mapping, body) => {
        const once = applyWebhookMapping(mapping, delivery(body, { 'x-shopify-topic': 'orders/create' }))
        const again = applyWebhookMapping(
          mapping,
          delivery(structuredClone(body), { 'X-Shopify-Topic': 'orders/create' }),
        )
        expect(again).toEqual(once)
        expect(once.ignored === undefined).toBe(once.events.length + once.rejects.length > 0)
        expect(({} as Record<string, unknown>).polluted).toBeUndefined()
      }),
    )
  })

  test('the delivery itself is left as it was', () => {
    fc.assert(
      fc.property(hostileJson, body => {
        const before = JSON.stringify(body)
        const { events } = applyWebhookMapping(mappings.at(-1) as WebhookMapping, delivery(body))
        for (const event of events) Object.assign(event.properties ?? {}, { changed: true })
        expect(JSON.stringify(body)).toBe(before)
      }),
    )
  })
})
