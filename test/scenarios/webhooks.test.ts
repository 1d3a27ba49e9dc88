/** Webhooks over real HTTP, from a vendor's signed delivery to the person and the order that come of it. */
import { execFile, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { webhookPresets } from '../../src/sources/webhook/index.ts'
import type { JsonObject } from '../../src/spec/json.ts'
import { API_KEY, openWorld, type World, WRITE_KEY } from '../world.ts'

const run = promisify(execFile)
const hasTools = ['curl', 'openssl'].every(tool => spawnSync(tool, ['version']).error === undefined)
const SECRET = 'whsec_northwind_try_it'

interface Stored {
  messageId: string
  type: string
  event: string | null
  source: string
  properties: JsonObject
}
interface Rejected {
  id: string
  reason: string
  detail: string
  payload: string
  isCut: boolean
  isDelivery: boolean
  state: string
}

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

async function makeSource(name: string, settings: JsonObject): Promise<{ id: string; writeKey: string }> {
  const made = await world.client.request('POST /api/v1/sources', {
    body: { name, kind: 'webhook', settings: settings as never },
  })
  return { id: made.id, writeKey: made.writeKey ?? '' }
}

async function deliver(writeKey: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${world.running.url}/v1/webhooks/${writeKey}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const hmac = (text: string, encoding: 'hex' | 'base64', secret = SECRET) =>
  createHmac('sha256', secret).update(text).digest(encoding)

/** Signs as the vendors do. */
const signers: Record<string, (body: string) => Record<string, string>> = {
  stripe(body) {
    const seconds = Math.floor(Date.now() / 1000)
    return { 'stripe-signature': `t=${seconds},v1=${hmac(`${seconds}.${body}`, 'hex')}` }
  },
  shopify: body => ({ 'x-shopify-hmac-sha256': hmac(body, 'base64') }),
  meta: body => ({ 'x-hub-signature-256': `sha256=${hmac(body, 'hex')}` }),
  hmac: body => ({ 'x-signature-256': hmac(body, 'hex') }),
  token: () => ({ 'x-webhook-token': SECRET }),
}

const timeline = async (reference: string) => {
  const path = `/api/v1/profiles/${encodeURIComponent(reference)}/events?limit=200`
  return (await world.get<{ data: Stored[] }>(path)).data
}
const rejectionsOf = async (sourceId: string, state = 'open') =>
  (await world.get<{ data: Rejected[] }>(`/api/v1/rejections?sourceId=${sourceId}&state=${state}`)).data
const accountingOf = (sourceId: string) =>
  world.get<{ sent: number; stored: number; rejected: number; deduplicated: number }>(
    `/api/v1/accounting?sourceId=${sourceId}`,
  )

describe('a signed delivery of a vendor', () => {
  const whom: Record<string, string> = {
    stripe: 'stripe_customer_id:',
    shopify: 'shopify_customer_id:',
    meta: 'meta_lead_id:3000001',
    'call-detail-record': 'phone:+4930901820',
    'point-of-sale': 'loyalty_id:',
  }

  it.each(webhookPresets.map(preset => [preset.id, preset] as const))(
    'by the preset %s becomes events of a person, once however often it comes',
    async (id, preset) => {
      const source = await makeSource(`Vendor ${id}`, { preset: id, secrets: [SECRET] })
      const text = JSON.stringify(preset.sample.body)
      const sign = signers[preset.signature.scheme]
      const headers = { ...preset.sample.headers, ...sign?.(text) }
      const first = await deliver(source.writeKey, text, headers)
      expect(first).toMatchObject({ status: 200, body: { success: true, deduplicated: 0, rejected: 0 } })
      const stored = first.body.stored as number
      expect(stored).toBeGreaterThan(0)
      const again = await deliver(source.writeKey, text, { ...headers, ...sign?.(text) })
      expect(again).toMatchObject({ status: 200, body: { stored: 0, deduplicated: stored } })
      await world.settled()
      expect(await accountingOf(source.id)).toMatchObject({ sent: 2 * stored, stored, deduplicated: stored })
      const events = await timeline(await referenceOf(text, whom[id] ?? ''))
      expect(events.filter(event => event.source === source.id).length).toBe(stored)
    },
  )

  /** `stripe_customer_id:` and whatever the sample calls its customer. */
  async function referenceOf(text: string, start: string): Promise<string> {
    if (!start.endsWith(':')) return start
    const namespace = start.slice(0, -1)
    const { data } = await world.get<{ data: { id: string; identifiers: { namespace: string; value: string }[] }[] }>(
      '/api/v1/profiles?limit=100',
    )
    const values = data.flatMap(profile => profile.identifiers).filter(each => each.namespace === namespace)
    const value = values.find(each => text.toLowerCase().includes(each.value.toLowerCase()))?.value
    if (value === undefined) throw new Error(`nobody has the ${namespace} of the sample`)
    return `${namespace}:${value}`
  }
})

describe('what is not the vendor’s', () => {
  let source: { id: string; writeKey: string }
  const body = JSON.stringify({ receipt_id: 'R-9', store_id: 'S1', currency: 'EUR', total: 5, loyalty_id: 'L-9' })
  beforeAll(async () => {
    source = await makeSource('Till', { preset: 'point-of-sale', secrets: ['an old secret', SECRET] })
  })

  it.each([
    ['with a signature of another secret', () => ({ 'x-signature-256': hmac(body, 'hex', 'another') }), 'not that of'],
    ['with a signature of another body', () => ({ 'x-signature-256': hmac(`${body} `, 'hex') }), 'not that of'],
    ['without a signature', () => ({}), 'no signature'],
  ])('%s, is refused with 401 and leaves nothing', async (_, headers, words) => {
    const refused = await deliver(source.writeKey, body, headers())
    expect(refused).toMatchObject({
      status: 401,
      body: { code: 'invalid_signature', detail: expect.stringContaining(words) },
    })
    expect(await accountingOf(source.id)).toMatchObject({ sent: 0 })
    expect(await rejectionsOf(source.id)).toEqual([])
  })

  it('is no delivery where the key is unknown, the source of another kind, or switched off', async () => {
    expect(await deliver('wk_of_nobody_at_all', body)).toMatchObject({
      status: 401,
      body: { code: 'invalid_write_key' },
    })
    expect(await deliver(WRITE_KEY, body)).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: expect.stringContaining('kind http') },
    })
    const off = await makeSource('Switched off', { preset: 'point-of-sale', secrets: [SECRET] })
    const params = { id: off.id }
    await world.client.request('PATCH /api/v1/sources/{id}', { params, body: { isEnabled: false } })
    expect(await deliver(off.writeKey, body)).toMatchObject({ status: 404, body: { code: 'source_disabled' } })
  })

  it('cannot be asked for by GET, except that Meta asks whether the address is right', async () => {
    const ask = (writeKey: string, token: string) =>
      fetch(
        `${world.running.url}/v1/webhooks/${writeKey}?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`,
      )
    expect((await ask(source.writeKey, 'x')).status).toBe(405)
    const meta = await makeSource('Meta', { preset: 'meta', secrets: [SECRET], verifyToken: 'northwind-verifies' })
    const right = await ask(meta.writeKey, 'northwind-verifies')
    expect([right.status, right.headers.get('content-type'), await right.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      '1158201444',
    ])
    expect((await ask(meta.writeKey, 'a-guess')).status).toBe(403)
    expect((await fetch(`${world.running.url}/v1/webhooks/${meta.writeKey}`)).status).toBe(403)
  })
})

describe('a mapping of one’s own', () => {
  const rules = (total: JsonObject) => ({
    mapping: {
      deliveryId: { path: '$.id' },
      rules: [
        {
          name: 'order',
          when: { path: 'headers.x-topic', equals: 'order' },
          event: {
            type: 'track',
            event: 'Order Completed',
            userId: { path: '$.user' },
            properties: { total, note: { path: '$.note' } },
          },
        },
      ],
    },
  })
  const headers = { 'x-topic': 'order', authorization: 'Bearer of-the-vendor' }

  it('keeps what it cannot read, and reads it when the mapping is mended', async () => {
    const source = await makeSource('Bookings', rules({ path: '$.total', as: 'number' }))
    const body = JSON.stringify({ id: 1, user: 'grace', total: 'twelve', cents: 1200 })
    expect(await deliver(source.writeKey, body, headers)).toMatchObject({
      status: 200,
      body: { success: true, stored: 0, rejected: 1 },
    })
    const [rejected] = await rejectionsOf(source.id)
    expect(rejected).toMatchObject({ reason: 'invalid_webhook', payload: body, isDelivery: true, isCut: false })
    expect(rejected?.detail).toContain('$.total')
    const resends = `/api/v1/rejections/${rejected?.id}/resends`
    const refused = await world.request('POST', resends, {})
    expect(refused).toMatchObject({ status: 422, body: { faults: [{ path: 'payload' }] } })

    const params = { id: source.id }
    const mended = rules({ path: '$.cents', as: { minorUnits: 'EUR' } } as unknown as JsonObject)
    await world.client.request('PATCH /api/v1/sources/{id}', { params, body: { settings: mended as never } })
    expect(await world.request('POST', resends, {})).toMatchObject({ status: 201, body: { stored: 1 } })
    expect(await world.request('POST', resends, {})).toMatchObject({ status: 409 })
    await world.settled()
    expect((await timeline('user_id:grace'))[0]).toMatchObject({ event: 'Order Completed', properties: { total: 12 } })
  })

  it('reads a delivery whose payload is mended by hand', async () => {
    const source = await makeSource('By hand', rules({ path: '$.total', as: 'number' }))
    await deliver(source.writeKey, '{ "id": 2, "user": "heidi", "total": 7', headers)
    const [rejected] = await rejectionsOf(source.id)
    expect(rejected).toMatchObject({ reason: 'invalid_json', isDelivery: true })
    const payload = '{ "id": 2, "user": "heidi", "total": 7 }'
    const resends = `/api/v1/rejections/${rejected?.id}/resends`
    expect(await world.request('POST', resends, { payload })).toMatchObject({ status: 201, body: { stored: 1 } })
    await world.settled()
    expect(await timeline('user_id:heidi')).toMatchObject([{ source: 'by-hand', properties: { total: 7 } }])
  })

  it('ignores what no rule speaks of, and stores none of the vendor’s credentials', async () => {
    const source = await makeSource('Quiet', rules({ path: '$.total' }))
    expect(await deliver(source.writeKey, '{"id":3}', { ...headers, 'x-topic': 'other' })).toMatchObject({
      status: 200,
      body: { success: true, stored: 0, rejected: 0, ignored: true },
    })
    expect(await accountingOf(source.id)).toMatchObject({ sent: 0 })
    await deliver(source.writeKey, 'not json', headers)
    const { rows } = await world.running.context.postgres.query<{ headers: unknown }>(
      'select delivery_headers as headers from events.rejected where source = $1',
      [source.id],
    )
    expect(rows).toEqual([{ headers: { 'x-topic': 'order', 'content-type': 'application/json' } }])
  })

  it('takes form fields, and texts that no database holds', async () => {
    const source = await makeSource('Forms', rules({ path: '$.total', as: 'number' }))
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
    expect(await deliver(source.writeKey, 'id=4&user=ivan&total=3.5', form)).toMatchObject({ body: { stored: 1 } })
    const odd = '{"id":5,"user":"ivan","total":1,"note":"nul \\u0000 half \\ud800"}'
    expect(await deliver(source.writeKey, odd, headers)).toMatchObject({ body: { stored: 1 } })
    await world.settled()
    const notes = (await timeline('user_id:ivan')).map(event => event.properties.note)
    expect(notes).toContain('nul \uFFFD half \uFFFD')
  })
})

describe.skipIf(!hasTools)('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'guides', 'webhooks.md'), 'utf8')
  const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
  const sh = (script: string) =>
    run('sh', ['-ec', script.replace('http://127.0.0.1:7070', world.running.url)], {
      env: { ...process.env, THROUGHLINE_API_KEY: API_KEY },
    })

  it('works by copy and paste: a receipt becomes a person with an order', async () => {
    expect(blocks.length).toBe(4)
    const [settings = '', make = '', send = '', read = ''] = blocks
    const { stdout } = await sh([settings, make, send, send].join('\n'))
    expect(stdout.match(/HTTP\/1.1 200/g)).toHaveLength(2)
    expect(stdout).toContain('"stored":1,"deduplicated":0')
    expect(stdout).toContain('"stored":0,"deduplicated":1')
    await world.settled()
    const page = JSON.parse((await sh([settings, read].join('\n'))).stdout) as { data: Stored[] }
    const [order, ...others] = page.data.filter(event => event.source === 'harbour-street-till')
    expect(order).toMatchObject({ event: 'Order Completed', properties: { order_id: 'R-1', total: 9 } })
    expect(others).toEqual([])
  })
})
