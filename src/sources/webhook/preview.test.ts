import { describe, expect, test } from 'vitest'
import { shopifyPreset } from './presets/shopify.ts'
import { previewWebhook, type WebhookSample } from './preview.ts'

const sample = (text: string, more: Partial<WebhookSample> = {}): WebhookSample => ({
  text,
  receivedAt: '2026-02-01T00:00:00.000Z',
  source: 'preview',
  ...more,
})
const mapping = {
  rules: [
    {
      name: 'paid',
      when: { path: '$.kind', equals: 'paid' },
      event: {
        type: 'track',
        event: 'Paid',
        userId: { path: '$.user' },
        properties: { amount: { path: '$.amount', as: 'number' } },
      },
    },
  ],
}

describe('a preview', () => {
  test('shows the events that a pasted sample would make', () => {
    const preview = previewWebhook(mapping, sample('{ "kind": "paid", "user": 7, "amount": "12.50" }'))
    expect(preview).toMatchObject({
      ok: true,
      events: [{ type: 'track', event: 'Paid', userId: '7', properties: { amount: 12.5 } }],
      rejects: [],
      warnings: [],
    })
  })

  test('shows form fields, and headers that the mapping reads', () => {
    expect(previewWebhook(mapping, sample('kind=paid&user=7&amount=3'))).toMatchObject({ events: [{ userId: '7' }] })
    const headers = { 'X-Shopify-Topic': 'customers/create' }
    const preview = previewWebhook(
      shopifyPreset.mapping,
      sample('{ "id": 1, "email": "ada@example.com" }', { headers }),
    )
    expect(preview).toMatchObject({ ok: true, events: [{ type: 'identify', traits: { email: 'ada@example.com' } }] })
  })

  test('says why nothing would be made', () => {
    expect(previewWebhook(mapping, sample('{ "kind": "other" }'))).toMatchObject({
      ok: true,
      ignored: 'no_rule_matched',
    })
    expect(previewWebhook(mapping, sample('{ "kind": "paid", "user": 7, "amount": "much" }'))).toMatchObject({
      ok: true,
      rejects: [
        {
          reason: 'invalid_webhook',
          faults: [{ at: 'event.properties.amount', path: '$.amount', message: 'is a text that is no number' }],
        },
      ],
    })
    expect(previewWebhook(mapping, sample('{ "kind": "paid" }'))).toMatchObject({
      rejects: [{ reason: 'missing_identifier' }],
    })
  })

  test('lists the faults of mapping and sample together, each with its place', () => {
    const broken = { rules: [{ ...mapping.rules[0], when: { path: 'kind', equals: 'paid' } }] }
    expect(previewWebhook(broken, sample('{ "kind": }'))).toEqual({
      ok: false,
      errors: [
        {
          path: 'rules[0].when.path',
          message: 'The path must begin with $ (the body), @ (the element), @parent or headers.',
        },
        { path: 'sample line 1, column 11', message: 'The body is not JSON.' },
      ],
    })
    expect(previewWebhook(mapping, sample(' '))).toEqual({
      ok: false,
      errors: [{ path: 'sample', message: 'The body is empty.' }],
    })
  })

  test('warns of events that would be taken for one', () => {
    const lines = {
      rules: [
        {
          name: 'line',
          each: '$.lines',
          identity: 'none',
          event: { type: 'track', event: 'Line', messageId: { path: '$.id' } },
        },
      ],
    }
    expect(previewWebhook(lines, sample('{ "id": 1, "lines": [1, 2] }'))).toMatchObject({
      warnings: [
        {
          path: 'rule line, event.messageId',
          message: '2 events have the same messageId; only the first would be stored.',
        },
      ],
    })
  })
})
