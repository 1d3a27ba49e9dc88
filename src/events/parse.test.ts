import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rejectionReasons } from '../spec/rejection.ts'
import { type Arrival, parseCall } from './parse.ts'

const RECEIVED = Date.UTC(2026, 5, 1, 12)
const arrival: Arrival = { source: 'web', receivedAt: RECEIVED, newMessageId: () => 'm-new' }
const parse = (value: unknown, more: Partial<Arrival> = {}) => parseCall(value, { ...arrival, ...more })
const track = { type: 'track', userId: 'ada', event: 'Seen' }
const eventOf = (value: unknown, more: Partial<Arrival> = {}) => {
  const parsed = parse(value, more)
  if (!('event' in parsed)) throw new Error(parsed.detail)
  return parsed.event
}

test('an event has what was sent, what was given, and nothing else', () => {
  expect(
    parse({ ...track, writeKey: 'wk', _metadata: {}, version: 2, groupId: 7, timestamp: '2026-06-01T11:00:00Z' }),
  ).toEqual({
    event: {
      messageId: 'm-new',
      type: 'track',
      source: 'web',
      event: 'Seen',
      userId: 'ada',
      groupId: '7',
      timestamp: '2026-06-01T11:00:00.000Z',
      originalTimestamp: '2026-06-01T11:00:00Z',
      receivedAt: '2026-06-01T12:00:00.000Z',
    },
  })
})

test.each([
  ['not_an_object', 7],
  ['unknown_type', { userId: 'ada' }],
  ['unknown_type', { ...track, type: ['track'] }],
  ['missing_identifier', { type: 'page' }],
  ['missing_identifier', { type: 'page', userId: '', anonymousId: null }],
  ['missing_event', { ...track, event: '' }],
  ['missing_event', { ...track, event: 7 }],
  ['missing_group_id', { type: 'group', userId: 'ada' }],
  ['missing_previous_id', { type: 'alias', userId: 'ada' }],
  ['missing_previous_id', { type: 'alias', previousId: 'a', anonymousId: 'b' }],
  ['invalid_field', { ...track, userId: true }],
  ['invalid_field', { ...track, userId: 2 ** 53 }],
  ['invalid_field', { ...track, userId: Number.POSITIVE_INFINITY }],
  ['invalid_field', { ...track, context: 'x' }],
  ['id_too_long', { ...track, userId: 'u'.repeat(501) }],
  ['id_too_long', { ...track, messageId: 'm'.repeat(101) }],
  ['id_too_long', { ...track, event: 'e'.repeat(501) }],
  [
    'too_many_properties',
    { ...track, properties: Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [i, 0])) },
  ],
  ['too_deep', { ...track, properties: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) }],
])('%s is why it was refused (%#)', (reason, value) => {
  const parsed = parse(value)
  expect(parsed).toMatchObject({ reason, detail: expect.stringMatching(/\.$/) })
})

describe('fields of particular clients', () => {
  test('RudderStack’s identify has its traits in the context', () => {
    const context = { traits: { plan: 'pro' } }
    expect(eventOf({ type: 'identify', userId: 'ada', context })).toMatchObject({ traits: { plan: 'pro' }, context })
    expect(eventOf({ type: 'identify', userId: 'ada', context, traits: { plan: 'free' } }).traits).toEqual({
      plan: 'free',
    })
    expect(eventOf({ ...track, context })).not.toHaveProperty('traits')
  })

  test('RudderStack’s channel is kept in the context, unless that has one', () => {
    expect(eventOf({ ...track, channel: 'web' }).context).toEqual({ channel: 'web' })
    expect(eventOf({ ...track, channel: 'web', context: { channel: 'app' } }).context).toEqual({ channel: 'app' })
  })

  test('a name longer than its limit is cut between characters', () => {
    const name = eventOf({ type: 'page', userId: 'ada', name: `x${'😀'.repeat(300)}` }).name as string
    expect([name.length, name.isWellFormed()]).toEqual([500, true])
  })
})

test('what goes on in memory is what the log holds', () => {
  const properties = JSON.parse('{"a":1e999,"b":-0,"c":[-1e999]}')
  const event = eventOf({ ...track, properties })
  expect(event.properties).toEqual({ a: null, b: 0, c: [null] })
  expect(JSON.parse(JSON.stringify(event))).toStrictEqual(event)
})

test('any value is an event or a reason, and an event survives the log unchanged', () => {
  const field = fc.oneof(fc.string(), fc.jsonValue(), fc.double())
  const call = fc.record(
    {
      type: fc.constantFrom('track', 'page', 'identify', 'group', 'alias'),
      userId: field,
      anonymousId: field,
      event: field,
      groupId: field,
      previousId: field,
      messageId: field,
      timestamp: field,
      sentAt: field,
      name: field,
      channel: field,
      properties: fc.object(),
      context: fc.jsonValue(),
    },
    { requiredKeys: ['type'] },
  )
  fc.assert(
    fc.property(fc.oneof(call, fc.jsonValue()), value => {
      const parsed = parse(JSON.parse(JSON.stringify(value) ?? 'null'))
      if ('event' in parsed) expect(JSON.parse(JSON.stringify(parsed.event))).toStrictEqual(parsed.event)
      else expect(Object.keys(rejectionReasons)).toContain(parsed.reason)
    }),
    { numRuns: 1_000 },
  )
})
