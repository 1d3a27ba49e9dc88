import { expect, test } from 'vitest'
import { headersRead } from './headers-read.ts'
import { webhookSettingsSchema } from './settings.ts'

const headers = {
  'X-Shopify-Topic': 'orders/create',
  'x-shopify-shop-domain': 'northwind.myshopify.com',
  'x-shopify-hmac-sha256': 'signature',
  'Content-Type': 'application/json',
  authorization: 'Bearer secret',
  cookie: 'a=b',
  'x-token': 'secret',
  'x-list': ['a', 'b'],
}

test('of a delivery are kept the headers that its preset reads, and the content type', () => {
  const settings = webhookSettingsSchema.parse({ preset: 'shopify', secrets: ['s'] })
  const kept = headersRead(settings, headers)
  expect(kept).toMatchObject({ 'x-shopify-topic': 'orders/create', 'content-type': 'application/json' })
  expect(Object.keys(kept)).not.toEqual(expect.arrayContaining(['x-shopify-hmac-sha256', 'authorization', 'cookie']))
})

test('credentials are kept for no mapping', () => {
  const path = (name: string) => ({ path: `headers.${name}` })
  const settings = webhookSettingsSchema.parse({
    mapping: {
      rules: [
        {
          name: 'one',
          when: { path: 'headers["x-list"]', exists: true },
          event: {
            type: 'track',
            event: path('x-token'),
            userId: { firstOf: [path('authorization'), path('cookie'), { path: '$.id' }] },
          },
        },
      ],
    },
    signature: { scheme: 'token', in: 'header', name: 'X-Token' },
    secrets: ['secret'],
  })
  expect(headersRead(settings, headers)).toEqual({ 'x-list': 'a, b', 'content-type': 'application/json' })
})
