import { describe, expect, test } from 'vitest'
import { deliver, namedBy } from '../../../../test/webhook-delivery.ts'
import type { Json, JsonObject } from '../../../spec/json.ts'
import { metaPreset } from './meta.ts'

const page = (...changes: JsonObject[]): Json => ({ object: 'page', entry: [{ id: '100', time: 1767261700, changes }] })
const instagram = (...changes: JsonObject[]): Json => ({
  object: 'instagram',
  entry: [{ id: '17800', time: 1767261700, changes }],
})

describe('a leadgen change', () => {
  const lead: JsonObject = {
    ad_id: '500',
    form_id: '400',
    leadgen_id: '300',
    created_time: 1767261690,
    page_id: '100',
    adgroup_id: '600',
  }
  const answers = {
    field_data: [
      { name: 'email', values: ['ada@example.com'] },
      { name: 'phone_number', values: ['+4930901820'] },
      { name: 'first_name', values: ['Ada'] },
      { name: 'last_name', values: ['Example'] },
      { name: 'company_name', values: ['Analytical Engines'] },
      { name: 'favourite_teas', values: ['Assam', 'Earl Grey'] },
    ],
  }
  const change = (value: JsonObject) => page({ field: 'leadgen', value })

  test('names a lead, by its id alone', () => {
    const { events, rejects } = deliver(metaPreset, change(lead))
    expect(rejects).toEqual([])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'track', event: 'Lead Submitted', timestamp: '2026-01-01T10:01:30.000Z' })
    expect(events[0]?.properties).toEqual({
      network: 'facebook',
      lead_id: '300',
      form_id: '400',
      ad_id: '500',
      adgroup_id: '600',
      page_id: '100',
    })
    expect(namedBy(metaPreset, events[0])).toEqual(['meta_lead_id:300'])
  })

  test('with its answers is a person too', () => {
    const { events } = deliver(metaPreset, change({ ...lead, ...answers }))
    expect(events.map(event => event.type)).toEqual(['track', 'identify'])
    expect(events[1]?.traits).toEqual({
      email: 'ada@example.com',
      phone: '+4930901820',
      firstName: 'Ada',
      lastName: 'Example',
      company: 'Analytical Engines',
      leadAnswers: { favourite_teas: 'Assam, Earl Grey' },
    })
    expect(namedBy(metaPreset, events[1])).toEqual(['email:ada@example.com', 'meta_lead_id:300', 'phone:+4930901820'])
  })

  test('whose answers come later is one lead, and its answers are new', () => {
    const [bare] = deliver(metaPreset, change(lead)).events
    const [again, person] = deliver(metaPreset, change({ ...lead, ...answers })).events
    expect(again?.messageId).toBe(bare?.messageId)
    expect(person?.messageId).not.toBe(bare?.messageId)
  })

  test('with a number for an id is the same lead', () => {
    const [asText] = deliver(metaPreset, change(lead)).events
    const [asNumber] = deliver(metaPreset, change({ ...lead, leadgen_id: 300 })).events
    expect(asNumber?.messageId).toBe(asText?.messageId)
  })
})

describe('a comment on a page’s post', () => {
  const comment: JsonObject = {
    from: { id: '7001', name: 'Ada Example' },
    post: { permalink_url: 'https://social.example.com/post/1', id: '100_1', status_type: 'added_photos' },
    message: 'When is the tea back?',
    post_id: '100_1',
    comment_id: '1_2',
    created_time: 1767261690,
    item: 'comment',
    parent_id: '100_1',
    verb: 'add',
  }
  const change = (more: JsonObject = {}) => page({ field: 'feed', value: { ...comment, ...more } })

  test('is of who wrote it', () => {
    const { events } = deliver(metaPreset, change())
    expect(events.map(event => event.type)).toEqual(['track', 'identify'])
    expect(events[0]).toMatchObject({ event: 'Comment Added', timestamp: '2026-01-01T10:01:30.000Z' })
    expect(events[0]?.properties).toEqual({
      network: 'facebook',
      comment_id: '1_2',
      parent_id: '100_1',
      post_id: '100_1',
      url: 'https://social.example.com/post/1',
      text: 'When is the tea back?',
      author: 'Ada Example',
      account_id: '100',
    })
    expect(events[1]?.traits).toEqual({ facebookName: 'Ada Example' })
    for (const event of events) expect(namedBy(metaPreset, event)).toEqual(['facebook_psid:7001'])
  })

  test('by the page itself, edited or removed, or a reaction, is left out', () => {
    for (const more of [
      { from: { id: '100', name: 'Northwind' } },
      { verb: 'edited' },
      { verb: 'remove' },
      { item: 'reaction' },
    ]) {
      expect(deliver(metaPreset, change(more)).ignored).toBe('no_rule_matched')
    }
  })

  test('whose author Meta keeps to itself belongs to nobody, and counts', () => {
    const { events, rejects } = deliver(metaPreset, change({ from: null }))
    expect([events.length, rejects.length]).toEqual([1, 0])
    expect(namedBy(metaPreset, events[0])).toEqual([])
  })
})

describe('a comment on Instagram', () => {
  const value: JsonObject = {
    from: { id: '8001', username: 'ada.example' },
    media: { id: '9001', media_product_type: 'FEED' },
    id: '9002',
    parent_id: '9003',
    text: 'Lovely cup',
  }
  const expected = {
    network: 'instagram',
    comment_id: '9002',
    parent_id: '9003',
    text: 'Lovely cup',
    author: 'ada.example',
    post_id: '9001',
    placement: 'FEED',
    account_id: '17800',
  }

  test.each([
    ['in a change', instagram({ field: 'comments', value })],
    [
      'in the entry itself',
      { object: 'instagram', entry: [{ id: '17800', time: 1767261700, field: 'comments', value }] },
    ],
    [
      'with a time in milliseconds',
      {
        object: 'instagram',
        entry: [{ id: '17800', time: 1767261700000, changes: [{ field: 'live_comments', value }] }],
      },
    ],
  ])('%s is of who wrote it', (_title, body) => {
    const { events, rejects } = deliver(metaPreset, body)
    expect(rejects).toEqual([])
    expect(events.map(event => event.type)).toEqual(['track', 'identify'])
    expect(events[0]).toMatchObject({ event: 'Comment Added', timestamp: '2026-01-01T10:01:40.000Z' })
    expect(events[0]?.properties).toEqual(expected)
    expect(events[1]?.traits).toEqual({ instagramUsername: 'ada.example' })
    for (const event of events) expect(namedBy(metaPreset, event)).toEqual(['instagram_scoped_id:8001'])
  })

  test('by the account itself is left out', () => {
    const own = { ...value, from: { id: '17800', username: 'northwind' } }
    expect(deliver(metaPreset, instagram({ field: 'comments', value: own })).ignored).toBe('no_rule_matched')
  })
})

describe('a message', () => {
  const messaging = (object: string, ...list: JsonObject[]): Json => ({
    object,
    entry: [{ id: '100', time: 1767261700000, messaging: list }],
  })
  const received: JsonObject = {
    sender: { id: '7001' },
    recipient: { id: '100' },
    timestamp: 1767261690123,
    message: {
      mid: 'm_1',
      text: 'Hello',
      attachments: [{ type: 'image', payload: { url: 'https://cdn.example.com/1.jpg' } }],
    },
  }
  const sent: JsonObject = {
    sender: { id: '100' },
    recipient: { id: '7001' },
    timestamp: 1767261691123,
    message: { mid: 'm_2', text: 'Good morning', is_echo: true, app_id: 1, reply_to: { mid: 'm_1' } },
  }

  test('from a person, and one to a person, are both on that person’s timeline', () => {
    const { events } = deliver(metaPreset, messaging('page', received, sent))
    expect(events.map(event => [event.event, event.timestamp])).toEqual([
      ['Message Received', '2026-01-01T10:01:30.123Z'],
      ['Message Sent', '2026-01-01T10:01:31.123Z'],
    ])
    expect(events[0]?.properties).toEqual({
      network: 'facebook',
      message_id: 'm_1',
      text: 'Hello',
      attachment_types: ['image'],
      account_id: '100',
    })
    expect(events[1]?.properties).toMatchObject({ text: 'Good morning', reply_to: 'm_1' })
    for (const event of events) expect(namedBy(metaPreset, event)).toEqual(['facebook_psid:7001'])
  })

  test('on Instagram is known by Instagram’s id', () => {
    const { events } = deliver(metaPreset, messaging('instagram', received))
    expect(events[0]?.properties?.network).toBe('instagram')
    expect(namedBy(metaPreset, events[0])).toEqual(['instagram_scoped_id:7001'])
  })

  test('read, delivered, deleted or reacted to is no message', () => {
    const others = [
      { read: { watermark: 1 } },
      { delivery: { mids: ['m_1'] } },
      { message: { mid: 'm_1', is_deleted: true } },
      { reaction: { mid: 'm_1' } },
    ]
    const list = others.map(other => ({ sender: { id: '7001' }, recipient: { id: '100' }, timestamp: 1, ...other }))
    expect(deliver(metaPreset, messaging('page', ...list)).ignored).toBe('no_rule_matched')
  })

  test('is one event however Meta groups its retries', () => {
    const ids = (body: Json) => deliver(metaPreset, body).events.map(event => event.messageId)
    const [first, second] = ids(messaging('page', received, sent))
    expect(ids(messaging('page', sent))).toEqual([second])
    expect(ids(messaging('page', sent, received)).sort()).toEqual([first, second].sort())
  })
})
