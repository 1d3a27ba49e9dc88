/** What web pages, mails and vendors reach collection by: pixels, preflights, settings, and answers that keep clients quiet. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { basic, type Collector, fieldsOf, keys, startCollector } from '../collector.ts'

let collector: Collector
beforeAll(async () => {
  collector = await startCollector({ publicOrigin: 'https://events.example.com' })
})
afterAll(() => collector.close())
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting, events.dedupe')
})

const seen = (messageId: string) => ({ type: 'track', event: 'Seen', userId: 'ada', messageId })

describe('pixels', () => {
  const data = (call: object) => encodeURIComponent(btoa(JSON.stringify(call)))
  const isPixel = async (response: Response) => {
    expect(response.headers.get('content-type')).toBe('image/gif')
    return (await response.bytes()).length > 30 && response.status
  }

  test('of Segment carry a whole call in base64', async () => {
    const response = await fetch(`${collector.url}/v1/pixel/track?data=${data({ ...seen('m-1'), writeKey: keys.web })}`)
    expect(await isPixel(response)).toBe(200)
    expect(await collector.events()).toMatchObject([{ type: 'track', messageId: 'm-1', userId: 'ada', source: 'web' }])
  })

  test('of Segment show whatever was wrong with them, and what has a source is kept', async () => {
    const wrong = [
      `data=${data({ ...seen('m'), writeKey: 'wk_nobody' })}`,
      '',
      'data=%%%',
      `data=!!&writeKey=${keys.web}`,
      `data=${data({ writeKey: keys.web })}`,
    ]
    for (const query of wrong) expect(await isPixel(await fetch(`${collector.url}/v1/pixel/track?${query}`))).toBe(200)
    expect((await collector.rejected()).map(row => row.reason)).toEqual(['invalid_json', 'missing_event'])
  })

  test('of RudderStack carry fields in the address', async () => {
    const query = `writeKey=${keys.web}&userId=ada&event=Opened&properties.campaign.name=spring&context.__proto__.x=1`
    expect(await isPixel(await fetch(`${collector.url}/pixel/v1/track?${query}`))).toBe(200)
    expect(await isPixel(await fetch(`${collector.url}/pixel/v1/page?writeKey=${keys.web}&anonymousId=a-1`))).toBe(200)
    expect(await collector.events()).toMatchObject([
      { type: 'track', event: 'Opened', properties: { campaign: { name: 'spring' } } },
      { type: 'page', name: 'Unknown Page', anonymousId: 'a-1' },
    ])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })
})

describe('a page of another origin', () => {
  const origin = 'https://shop.example.com'
  test('is told in the preflight what it may send', async () => {
    const response = await fetch(`${collector.url}/v1/t`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('access-control-allow-credentials')).toBe('true')
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS')
    expect(response.headers.get('access-control-max-age')).toBe('86400')
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ')
    for (const name of [
      'authorization',
      'content-type',
      'x-retry-count',
      'anonymousid',
      'sentat',
      'x-write-key',
      'x-ip-policy',
      'content-encoding',
    ])
      expect(allowed).toContain(name)
  })

  test('may read every answer, refusals too', async () => {
    for (const [key, status] of [
      [keys.web, 200],
      ['wk_nobody', 401],
      [keys.off, 404],
    ] as const) {
      const response = await collector.post('/v1/track', seen('m-1'), { ...basic(key), origin })
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, origin])
    }
  })

  test('is told by the settings where to send', async () => {
    const settings = await fieldsOf(await fetch(`${collector.url}/v1/projects/${keys.web}/settings`))
    expect(settings.integrations).toEqual({
      'Segment.io': {
        apiKey: keys.web,
        apiHost: 'events.example.com/v1',
        protocol: 'https',
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    })
    expect((await fetch(`${collector.url}/v1/projects/wk_nobody/settings`)).status).toBe(401)
    const config = async (key: string) =>
      (await fetch(`${collector.url}/sourceConfig/?p=npm`, { headers: basic(key) })).json()
    expect(await config(keys.web)).toMatchObject({
      source: { id: 'web', writeKey: keys.web, enabled: true, destinations: [] },
    })
    expect(await config(keys.off)).toMatchObject({ source: { enabled: false } })
  })
})

test.each([
  ['/v1/m', '{"series":[]}', 200],
  ['/rsaMetrics', '{}', 200],
  ['/rsaRequest', '{}', 404],
  ['/flags/?v=2', '{"api_key":"x"}', 200],
  ['/decide', '{}', 200],
])('%s is answered so that clients carry on', async (path, body, status) => {
  const response = await collector.post(path, body)
  expect(response.status).toBe(status)
  await response.json()
})

test('a script that is not hosted here is refused with what to do instead', async () => {
  const response = await fetch(`${collector.url}/analytics.js/v1/${keys.web}/analytics.min.js`)
  expect([response.status, (await fieldsOf(response)).hint]).toEqual([
    404,
    expect.stringContaining('@segment/analytics-next'),
  ])
})

test('a webhook is handed over with its source and its bytes, whatever credentials its sender uses for itself', async () => {
  const taken: unknown[] = []
  const hooked = await startCollector({
    async receiveWebhook(delivery) {
      taken.push(delivery)
      return delivery.method === 'GET' ? { status: 200, body: 'challenge' } : { status: 202, body: { ok: true } }
    },
  })
  const path = `/v1/webhooks/${keys.web}`
  const form = { ...basic('someone'), 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const response = await hooked.post(path, gzipSync('a=1'), form)
  expect([response.status, await response.json()]).toEqual([202, { ok: true }])
  expect(await (await fetch(`${hooked.url}${path}?hub.challenge=7`)).text()).toBe('challenge')
  expect((await hooked.post('/v1/webhooks/wk_nobody', '{}')).status).toBe(401)
  expect(taken).toMatchObject([
    { source: { slug: 'web' }, method: 'POST', body: Buffer.from('a=1'), headers: form },
    { method: 'GET', query: { 'hub.challenge': '7' } },
  ])
  await hooked.close()
})
