import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../spec/json.ts'
import { parseCall } from './parse.ts'
import { posthogResults, readPosthog, readPosthogText } from './wire-posthog.ts'

const RECEIVED = Date.UTC(2026, 5, 1, 12)
const read = (body: JsonObject) => {
  const delivery = readPosthog(body, { receivedAt: RECEIVED })
  if ('reason' in delivery) throw new Error(delivery.detail)
  return delivery
}
const callOf = (body: JsonObject) => read(body).calls[0]?.value as JsonObject
const properties = { $lib: 'web', $lib_version: '1.2.3' }

describe('whose an event is', () => {
  const who = (more: JsonObject, event = 'Seen', rest: JsonObject = {}) => {
    const { userId, anonymousId } = callOf({ event, distinct_id: 'x', ...rest, properties: { ...properties, ...more } })
    return { userId, anonymousId }
  }
  const known = { userId: 'x', anonymousId: undefined }
  const anonymous = { userId: undefined, anonymousId: 'x' }
  test.each([
    ['a user, if nothing is said', {}, known],
    ['a user and a device', { $device_id: 'd' }, { userId: 'x', anonymousId: 'd' }],
    ['a device, before the first identify', { $device_id: 'x' }, anonymous],
    ['a device, where the browser says so', { $is_identified: false, $device_id: 'd' }, anonymous],
    ['a user, where the browser says so', { $is_identified: true, $process_person_profile: false }, known],
    ['nobody known, in an anonymous event', { $process_person_profile: false }, anonymous],
  ])('%s', (_name, more, expected) => {
    expect(who(more)).toEqual(expected)
  })

  test('an identify names the device it was before', () => {
    expect(who({ $anon_distinct_id: 'a', $is_identified: false }, '$identify')).toEqual({
      userId: 'x',
      anonymousId: 'a',
    })
  })

  test('an anonymous event of the newer mode says so in its options', () => {
    expect(who({}, 'Seen', { options: { process_person_profile: false } })).toEqual(anonymous)
  })

  test('cookieless browsers are nobody, rather than all one person', () => {
    expect(who({}, 'Seen', { distinct_id: '$posthog_cookieless' })).toEqual({
      userId: undefined,
      anonymousId: undefined,
    })
  })

  test('a group that names nobody belongs to nobody, and may', () => {
    const group = { $group_type: 'company', $group_key: 'acme', $group_set: { name: 'Acme' } }
    const [call] = read({ event: '$groupidentify', distinct_id: '$company_acme', properties: group }).calls
    expect(call).toMatchObject({
      mayBeNobodys: true,
      value: { type: 'group', groupId: 'acme', traits: { name: 'Acme' } },
    })
    expect(call?.value).not.toHaveProperty('userId')
  })
})

describe('what an event becomes', () => {
  const base = { distinct_id: 'ada', uuid: 'm-1', timestamp: '2026-06-01T11:00:00Z' }
  test.each([
    ['$identify', { $set: { plan: 'pro' } }, { type: 'identify', userId: 'ada', traits: { plan: 'pro' } }],
    ['$set', { $set: { plan: 'pro' } }, { type: 'identify', traits: { plan: 'pro' } }],
    ['$create_alias', { alias: 'old' }, { type: 'alias', previousId: 'old', userId: 'ada' }],
    ['$merge_dangerously', { alias: 'old' }, { type: 'alias', previousId: 'old' }],
    ['$groupidentify', { $group_type: 'project', $group_key: 7 }, { type: 'group', groupId: 'project:7' }],
    [
      '$pageview',
      { $current_url: 'https://x.example/', $pathname: '/', title: 'X' },
      { type: 'page', name: 'X', properties: { url: 'https://x.example/', path: '/' } },
    ],
    ['$screen', { $screen_name: 'Basket' }, { type: 'screen', name: 'Basket' }],
    ['$pageleave', {}, { type: 'track', event: '$pageleave' }],
    ['toString', {}, { type: 'track', event: 'toString' }],
    [
      'Seen',
      { a: 1 },
      { type: 'track', event: 'Seen', messageId: 'm-1', timestamp: base.timestamp, properties: { a: 1 } },
    ],
  ])('%s', (event, more, expected) => {
    expect(callOf({ ...base, event, properties: more })).toMatchObject(expected)
  })

  test('person properties go with any event; those to be set once are named and do not overrule', () => {
    const call = callOf({
      ...base,
      event: 'Seen',
      properties: { $set: { plan: 'pro' }, $set_once: { plan: 'free', source: 'mail' } },
    })
    expect(call.traits).toEqual({ plan: 'pro', source: 'mail' })
    expect(call.context).toEqual({ traitsOnce: ['source'] })
    expect(call.properties).toEqual({})
  })

  test('person properties may stand beside the properties', () => {
    expect(callOf({ ...base, event: '$identify', $set: { a: 1 }, $set_once: { b: 2 } })).toMatchObject({
      traits: { a: 1, b: 2 },
      context: { traitsOnce: ['b'] },
    })
  })

  test('the key is not stored with the event', () => {
    expect(callOf({ ...base, event: 'Seen', properties: { token: 'wk', a: 1 } }).properties).toEqual({ a: 1 })
  })

  test('well-known properties stand in the context under the names of the spec', () => {
    const more = {
      ...properties,
      $current_url: 'https://x.example/?utm_source=mail',
      utm_source: 'mail',
      $ip: '203.0.113.7',
      $timezone: 'UTC',
    }
    expect(callOf({ ...base, event: 'Seen', properties: more }).context).toEqual({
      library: { name: 'web', version: '1.2.3' },
      page: { url: more.$current_url },
      campaign: { source: 'mail' },
      ip: '203.0.113.7',
      timezone: 'UTC',
    })
  })

  test('of several groups the company counts, else the first, named by its kind', () => {
    const groupId = ($groups: JsonObject) => callOf({ ...base, event: 'Seen', properties: { $groups } }).groupId
    expect(groupId({ project: '7', company: 'acme' })).toBe('acme')
    expect(groupId({ project: '7', team: 'x' })).toBe('project:7')
    expect(groupId({})).toBeUndefined()
  })
})

describe('time', () => {
  test('an offset counts from when it arrived and needs no correction', () => {
    const { calls } = read({
      batch: [{ event: 'Seen', distinct_id: 'x', timestamp: 'client clock', offset: 1_500 }],
      sent_at: '2020-01-01T00:00:00Z',
    })
    expect(calls[0]).toMatchObject({
      isClockTrusted: true,
      value: { timestamp: '2026-06-01T11:59:58.500Z', originalTimestamp: 'client clock' },
    })
  })

  test('a batch has the time of its sending; a client may ask not to be corrected', () => {
    const event = { event: 'Seen', distinct_id: 'x' }
    const delivery = read({ batch: [event, { ...event, properties: { $ignore_sent_at: true } }], sent_at: 'then' })
    expect(delivery).toMatchObject({ isBatch: true, sentAt: 'then' })
    expect(delivery.calls.map(call => call.isClockTrusted)).toEqual([undefined, true])
  })
})

test('old browsers send forms', () => {
  const body = { event: 'Seen', distinct_id: 'x' }
  const data = JSON.stringify(body)
  expect(readPosthogText(Buffer.from(`data=${encodeURIComponent(btoa(data))}&compression=base64`))).toEqual(body)
  expect(readPosthogText(Buffer.from(`data=${encodeURIComponent(data)}`))).toEqual(body)
  expect(readPosthogText(Buffer.from(data))).toEqual(body)
  for (const broken of ['data=', 'data=%%%', 'data=e30x', 'x'])
    expect(readPosthogText(Buffer.from(broken))).toBeUndefined()
})

test('results name each event by its uuid', () => {
  const { calls } = read({ batch: [{ event: 'a', uuid: 'u-1' }, { event: 'b', uuid: '__proto__' }, { event: 'c' }] })
  const text = JSON.stringify(posthogResults(calls, new Map([[1, 'Why.']])))
  expect(text).toBe('{"results":{"u-1":{"result":"ok"},"__proto__":{"result":"drop","details":"Why."}}}')
})

test('whatever a body holds, it becomes calls that the parser takes or refuses', () => {
  const value = fc.jsonValue()
  const event = fc.record(
    {
      event: fc.oneof(
        fc.constantFrom('$identify', '$set', '$groupidentify', '$create_alias', '$pageview', '$screen', 'x'),
        value,
      ),
      distinct_id: value,
      uuid: value,
      timestamp: value,
      offset: value,
      $set: value,
      options: value,
      properties: fc.oneof(
        value,
        fc.dictionary(
          fc.constantFrom(
            '$set',
            '$set_once',
            '$groups',
            '$group_type',
            '$group_key',
            'alias',
            '$device_id',
            '$lib',
            '$ip',
          ),
          value,
        ),
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(value, event, fc.record({ batch: fc.array(event), sent_at: value })), body => {
      const delivery = readPosthog(JSON.parse(JSON.stringify(body)), { receivedAt: RECEIVED })
      if ('reason' in delivery) return
      for (const call of delivery.calls)
        parseCall(call.value, {
          source: 'web',
          receivedAt: RECEIVED,
          newMessageId: () => 'm',
          mayBeNobodys: call.mayBeNobodys ?? false,
        })
    }),
    { numRuns: 1_000 },
  )
})
