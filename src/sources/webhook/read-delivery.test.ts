import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readWebhookDelivery, type WebhookRequest } from './read-delivery.ts'
import { type WebhookSettings, webhookSettingsSchema } from './settings.ts'

const receivedAt = Date.UTC(2026, 1, 1)
const post = (text: string, headers: WebhookRequest['headers'] = {}): WebhookRequest => ({
  source: 'shop',
  method: 'POST',
  headers,
  query: {},
  body: Buffer.from(text),
  receivedAt,
})
const settings = (input: object): WebhookSettings => webhookSettingsSchema.parse(input)
const ownMapping = { rules: [{ name: 'hello', event: { type: 'track', event: 'Hello', userId: { path: '$.user' } } }] }

describe('a delivery', () => {
  test('that is signed becomes events of the preset', () => {
    const text = '{ "id": 1, "email": "ada@example.com" }'
    const signature = createHmac('sha256', 'secret').update(text).digest('base64')
    const headers = { 'x-shopify-topic': 'customers/create', 'x-shopify-hmac-sha256': signature }
    const shop = settings({ preset: 'shopify', secrets: ['secret'] })
    expect(readWebhookDelivery(shop, post(text, headers))).toMatchObject({
      kind: 'taken',
      events: [{ type: 'identify' }],
    })
    expect(readWebhookDelivery(shop, post(`${text} `, headers))).toEqual({
      kind: 'refused',
      status: 401,
      reason: 'signature_mismatch',
    })
  })

  test('without a signature scheme is taken as it comes, form fields too', () => {
    const open = settings({ mapping: ownMapping })
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect(readWebhookDelivery(open, post('{ "user": "ada" }'))).toMatchObject({ events: [{ userId: 'ada' }] })
    expect(readWebhookDelivery(open, post('user=ada', form))).toMatchObject({ events: [{ userId: 'ada' }] })
  })

  test('that cannot be read is kept as rejected, not refused', () => {
    const open = settings({ mapping: ownMapping })
    expect(readWebhookDelivery(open, post('<xml/>'))).toEqual({
      kind: 'taken',
      events: [],
      rejects: [{ reason: 'invalid_json', detail: 'The body is not JSON.', faults: [] }],
    })
    expect(readWebhookDelivery(open, post('{}'))).toMatchObject({ rejects: [{ reason: 'missing_identifier' }] })
  })

  test('of the time it was received, unless the rule says otherwise', () => {
    const reading = readWebhookDelivery(settings({ mapping: ownMapping }), post('{ "user": "ada" }'))
    expect(reading).toMatchObject({ events: [{ timestamp: '2026-02-01T00:00:00.000Z' }] })
  })
})

describe('a GET', () => {
  const get = (query: Record<string, unknown>): WebhookRequest => ({ ...post(''), method: 'GET', query })
  const question = { 'hub.mode': 'subscribe', 'hub.verify_token': 'ours', 'hub.challenge': '42' }
  const meta = settings({ preset: 'meta', secrets: ['secret'], verifyToken: 'ours' })

  test('is Meta’s question, answered with its challenge', () => {
    expect(readWebhookDelivery(meta, get(question))).toEqual({ kind: 'challenge', challenge: '42' })
    expect(readWebhookDelivery(meta, get({ ...question, 'hub.verify_token': 'theirs' }))).toMatchObject({ status: 403 })
    expect(readWebhookDelivery(meta, get({ 'hub.mode': { nested: true } }))).toMatchObject({
      status: 403,
      reason: 'no_challenge',
    })
  })

  test('of any other source is not allowed', () => {
    expect(readWebhookDelivery(settings({ mapping: ownMapping }), get(question))).toMatchObject({
      kind: 'refused',
      status: 405,
    })
  })
})

describe('settings', () => {
  test('have a preset or a mapping, and a secret where the scheme needs one', () => {
    const messages = (input: object) => webhookSettingsSchema.safeParse(input).error?.issues.map(issue => issue.message)
    expect(messages({})).toEqual(['Give either a preset or a mapping.'])
    expect(messages({ preset: 'stripe', mapping: ownMapping, secrets: ['x'] })).toEqual([
      'Give either a preset or a mapping.',
    ])
    expect(messages({ preset: 'stripe' })).toEqual(['This signature needs a secret.'])
    expect(messages({ preset: 'stripe', signature: { scheme: 'none' } })).toBeUndefined()
    expect(messages({ preset: 'nobody' })).toHaveLength(1)
  })
})
