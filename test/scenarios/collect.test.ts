/** The wire contract of collection over a real server and a real PostgreSQL: who gets in, what is answered, what is kept. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseCall } from '../../src/events/parse.ts'
import { basic, type Collector, fieldsOf, keys, startCollector } from '../collector.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
let collector: Collector
beforeAll(async () => {
  collector = await startCollector({ now: () => NOW })
})
afterAll(() => collector.close())
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting, events.dedupe')
})

const auth = basic(keys.web)
const seen = (messageId: string) => ({ type: 'track', event: 'Seen', userId: 'ada', messageId })

describe('the write key', () => {
  const body = (more: object = {}) => ({ ...seen('m-1'), ...more })
  test.each([
    ['Basic', '/v1/track', body(), auth],
    ['Basic without a colon', '/v1/track', body(), { authorization: `Basic ${btoa(keys.web)}` }],
    ['X-Write-Key', '/v1/track', body(), { 'x-write-key': keys.web }],
    ['X-Write-Key with a secret', '/v1/track', body(), { 'x-write-key': `${keys.web}:secret` }],
    ['writeKey in the body', '/v1/track', body({ writeKey: keys.web }), {}],
    ['writeKey in the address', `/v1/track?writeKey=${keys.web}`, body(), {}],
    ['Bearer beside the body', '/v1/track', body({ writeKey: keys.web }), { authorization: 'Bearer oauth-token' }],
    ['Bearer alone', '/v1/track', body(), { authorization: `Bearer ${keys.web}` }],
    ['Basic before the body', '/v1/track', body({ writeKey: 'wk_other_1' }), auth],
    ['the body before the address', `/v1/track?writeKey=${keys.server}`, body({ writeKey: keys.web }), {}],
  ])('is taken from %s', async (_name, path, sent, headers) => {
    const response = await collector.post(path, sent, headers)
    expect([response.status, await response.json()]).toEqual([200, { success: true }])
    expect(await collector.events()).toMatchObject([{ messageId: 'm-1', source: 'web' }])
  })

  test.each([
    ['unknown, in a header', '/v1/track', basic('wk_nobody')],
    ['unknown, in the address', '/v1/track?writeKey=wk_nobody', {}],
    ['missing', '/v1/track', {}],
    ['longer than any key', '/v1/track', basic('k'.repeat(5_000))],
    ['unknown, for a batch', '/v1/batch', basic('wk_nobody')],
    ['unknown, for Jitsu', '/api/s/track', { 'x-write-key': 'wk_nobody:s' }],
    ['unknown, for a beacon', '/beacon/v1/batch?writeKey=wk_nobody', {}],
  ])('that is %s is answered 401 and nothing is kept', async (_name, path, headers) => {
    const response = await collector.post(path, seen('m-1'), headers)
    expect(response.status).toBe(401)
    expect(await fieldsOf(response)).toMatchObject({ code: 'invalid_write_key' })
    expect(await collector.accounting()).toEqual({})
  })

  test('of a source that is switched off is answered 404', async () => {
    const response = await collector.post('/v1/track', seen('m-1'), basic(keys.off))
    expect([response.status, (await fieldsOf(response)).code]).toEqual([404, 'source_disabled'])
  })

  test('is checked before the body is inflated', async () => {
    const bomb = gzipSync(Buffer.alloc(40_000_000))
    expect((await collector.post('/v1/track', bomb, basic('wk_nobody'))).status).toBe(401)
    expect((await collector.post('/v1/track', bomb, auth)).status).toBe(413)
  })

  test('that cannot be looked up just now is answered 503, never 401', async () => {
    const blind = await startCollector({ findSource: () => Promise.reject(new Error('down')) })
    const response = await blind.post('/v1/track', seen('m-1'), auth)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
    await blind.close()
  })
})

describe('a single call', () => {
  test.each([
    ['track', { event: 'Seen' }],
    ['t', { event: 'Seen' }],
    ['identify', { traits: { plan: 'pro' } }],
    ['i', {}],
    ['page', { name: 'Home' }],
    ['p', {}],
    ['screen', { name: 'Home' }],
    ['s', {}],
    ['group', { groupId: 'acme' }],
    ['g', { groupId: 'acme' }],
    ['alias', { previousId: 'old' }],
    ['a', { previousId: 'old' }],
  ])('to /v1/%s has its type from the path', async (path, more) => {
    const response = await collector.post(
      `/v1/${path}`,
      { userId: 'ada', ...more },
      { ...auth, 'content-type': 'text/plain' },
    )
    expect(response.status).toBe(200)
    const [event] = await collector.events()
    expect(event).toMatchObject({ userId: 'ada', ...more, messageId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(event?.type[0]).toBe(path[0])
  })

  test.each([
    ['track', { event: 'Seen' }, 'missing_identifier'],
    ['track', { userId: 'ada' }, 'missing_event'],
    ['group', { userId: 'ada' }, 'missing_group_id'],
    ['alias', { userId: 'ada' }, 'missing_previous_id'],
    ['track', { userId: {}, event: 'Seen' }, 'invalid_field'],
    ['track', { userId: 1e30, event: 'Seen' }, 'invalid_field'],
    ['track', { userId: 'ada', event: 'Seen', properties: [] }, 'invalid_field'],
    ['track', { userId: 'ada', event: 'Seen', messageId: 'm'.repeat(101) }, 'id_too_long'],
    ['track', { userId: 'ada', event: 'Seen', properties: { text: 'x'.repeat(1_100_000) } }, 'event_too_large'],
    ['track', [], 'not_an_object'],
    ['track', 'null', 'not_an_object'],
    ['track', '{"userId":', 'invalid_json'],
    ['track', '', 'invalid_json'],
  ])('to /v1/%s that is malformed is answered 400 with the reason and kept (%#)', async (path, body, reason) => {
    const response = await collector.post(`/v1/${path}`, body, auth)
    expect(response.status).toBe(400)
    expect(await fieldsOf(response)).toMatchObject({ success: false, reason, detail: expect.any(String), status: 400 })
    expect(await collector.rejected()).toMatchObject([{ reason, source: 'web' }])
    expect(await collector.accounting()).toEqual({ [reason]: 1 })
  })

  test('that was refused is kept so that it can be mended and sent again by itself', async () => {
    await collector.post('/v1/group', { userId: 'ada' }, auth)
    await collector.post(
      '/v1/batch',
      { batch: [{ type: 'track', userId: 'ada' }], sentAt: '2026-06-01T12:00:00Z' },
      auth,
    )
    const [single, batched] = (await collector.rejected()).map(row => JSON.parse(row.payload.toString()))
    const arrival = { source: 'web', receivedAt: NOW, newMessageId: () => 'm-new' }
    expect(parseCall({ ...single, groupId: 'acme' }, arrival)).toMatchObject({
      event: { type: 'group', groupId: 'acme' },
    })
    expect(batched).toEqual({ type: 'track', userId: 'ada', sentAt: '2026-06-01T12:00:00Z' })
  })

  test('is stored when it is gzipped, whatever the headers say', async () => {
    const body = (id: string) => gzipSync(JSON.stringify(seen(id)))
    const form = { ...auth, 'content-type': 'application/x-www-form-urlencoded' }
    await collector.post('/v1/track', body('m-1'), { ...form, 'content-encoding': 'gzip' })
    await collector.post('/v1/track', body('m-2'), form)
    await collector.post('/v1/track', body('m-3'), { ...auth, 'content-type': 'utter nonsense;;;=' })
    expect((await collector.events()).map(event => event.messageId)).toEqual(['m-1', 'm-2', 'm-3'])
  })
})

describe('a batch', () => {
  test.each(['/v1/batch', '/v1/b', '/v1/import', '/api/s/batch', '/batch/', '/beacon/v1/batch'])(
    'is taken at %s',
    async path => {
      const event = path === '/batch/' ? { event: 'Seen', distinct_id: 'ada', uuid: 'm-1' } : seen('m-1')
      const response = await collector.post(`${path}?writeKey=${keys.web}`, { batch: [event] })
      expect(response.status).toBe(200)
      expect(await collector.events()).toMatchObject([{ messageId: 'm-1', userId: 'ada', event: 'Seen' }])
    },
  )

  test('gives its context and integrations to each event, which may say otherwise', async () => {
    await collector.post(
      '/v1/batch',
      {
        context: { app: { name: 'shop' }, locale: 'de' },
        integrations: { All: false },
        batch: [seen('m-1'), { ...seen('m-2'), context: { locale: 'fr' }, integrations: { Mail: true } }],
      },
      auth,
    )
    expect(await collector.events()).toMatchObject([
      { context: { app: { name: 'shop' }, locale: 'de' }, integrations: { All: false } },
      { context: { app: { name: 'shop' }, locale: 'fr' }, integrations: { All: false, Mail: true } },
    ])
  })

  test('is answered 200 with what was rejected', async () => {
    const batch = [seen('m-1'), seen('m-1'), { type: 'track', userId: 'ada' }, 'x', { type: 'dance' }]
    const response = await collector.post('/v1/batch', { batch }, auth)
    expect(response.status).toBe(200)
    expect(await fieldsOf(response)).toMatchObject({
      success: true,
      stored: 1,
      deduplicated: 1,
      rejected: 3,
      rejections: [
        { index: 2, reason: 'missing_event' },
        { index: 3, reason: 'not_an_object' },
        { index: 4, reason: 'unknown_type' },
      ],
    })
  })

  test('with more than 2,500 events loses none of those above: each is rejected and kept', async () => {
    const batch = Array.from({ length: 2_503 }, (_, index) => seen(`m-${index}`))
    const response = await collector.post('/v1/batch', { batch }, auth)
    expect(await fieldsOf(response)).toMatchObject({ stored: 2_500, rejected: 3 })
    expect(await collector.accounting()).toEqual({ stored: 2_500, batch_overflow: 3 })
    expect(JSON.parse(String((await collector.rejected())[2]?.payload))).toEqual(seen('m-2502'))
  })

  test('that is absurdly long or too large is refused whole with 413, and nothing of it is kept', async () => {
    const long = `[${'0,'.repeat(10_000)}0]`
    expect((await collector.post('/v1/batch', long, auth)).status).toBe(413)
    expect((await collector.post('/v1/batch', 'x'.repeat(4_000 * 1024 + 1), auth)).status).toBe(413)
    expect((await collector.post('/v1/batch', gzipSync('x'.repeat(4_000 * 1024 + 1)), auth)).status).toBe(413)
    expect(await collector.accounting()).toEqual({})
  })

  test('that is no batch is answered 400 and kept as it was sent', async () => {
    const response = await collector.post('/v1/batch', '{"batch":7}', auth)
    expect([response.status, (await fieldsOf(response)).reason]).toEqual([400, 'invalid_field'])
    expect((await collector.rejected())[0]?.payload.toString()).toBe('{"batch":7}')
  })

  test('that is empty is answered 200', async () => {
    expect(await (await collector.post('/v1/batch', { batch: [] }, auth)).json()).toMatchObject({
      success: true,
      stored: 0,
    })
  })
})

describe('repetitions', () => {
  test('are dropped within a batch, across requests and across sources, but not across workspaces', async () => {
    await collector.post('/v1/batch', { batch: [seen('m-1'), seen('m-2'), seen('m-1')] }, auth)
    await collector.post('/v1/track', seen('m-2'), auth)
    await collector.post('/v1/track', seen('m-1'), basic(keys.server))
    await collector.post('/v1/track', seen('m-1'), basic(keys.globex))
    expect((await collector.events()).map(event => event.messageId)).toEqual(['m-1', 'm-2'])
    expect(await collector.accounting()).toEqual({ stored: 2, deduplicated: 3 })
    expect(await collector.accounting(2)).toEqual({ stored: 1 })
  })

  test('positions of a lane follow one another without a gap', async () => {
    for (const id of ['m-1', 'm-2', 'm-3']) await collector.post('/v1/track', seen(id), auth)
    const { rows } = await collector.pool.query<{ pos: number }>('select pos from events.log order by pos')
    const first = rows[0]?.pos as number
    expect(rows.map(row => row.pos)).toEqual([first, first + 1, first + 2])
  })
})

describe('the time of an event', () => {
  const at = (iso: string) => ({ timestamp: iso })
  test.each([
    ['is what the client said', at('2026-05-31T08:00:00.000Z'), '2026-05-31T08:00:00.000Z'],
    [
      'is corrected by a clock that is an hour slow',
      { ...at('2026-06-01T10:59:00Z'), sentAt: '2026-06-01T11:00:00Z' },
      '2026-06-01T11:59:00.000Z',
    ],
    ['is when it arrived, without any', {}, '2026-06-01T12:00:00.000Z'],
    ['is a day ahead at most', at('2050-01-01T00:00:00Z'), '2026-06-02T12:00:00.000Z'],
    [
      'prefers timestamp to originalTimestamp',
      { ...at('2026-01-01T00:00:00Z'), originalTimestamp: '2026-06-01T11:59:00Z' },
      '2026-01-01T00:00:00.000Z',
    ],
  ])('%s', async (_name, times, expected) => {
    await collector.post('/v1/track', { ...seen('m-1'), ...times }, auth)
    expect((await collector.events())[0]?.timestamp).toBe(expected)
  })

  test('uses the later of the sentAt of the event and of its batch', async () => {
    const batch = [{ ...seen('m-1'), ...at('2026-06-01T10:00:00Z'), sentAt: '2026-06-01T10:00:00Z' }]
    await collector.post(
      '/v1/batch',
      { batch, sentAt: '2026-06-01T11:00:00Z', timestamp: '1999-01-01T00:00:00Z' },
      auth,
    )
    expect((await collector.events())[0]?.timestamp).toBe('2026-06-01T11:00:00.000Z')
  })
})
