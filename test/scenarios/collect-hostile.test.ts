/** Whatever bytes arrive, each event ends stored or rejected with a reason; no 500, no crash, and nothing unaccounted for. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BATCH_EVENTS_MAX } from '../../src/events/delivery.ts'
import { rejectionReasons } from '../../src/spec/rejection.ts'
import { basic, type Collector, fieldsOf, keys, startCollector } from '../collector.ts'

let collector: Collector
beforeAll(async () => {
  collector = await startCollector()
})
afterAll(() => collector.close())
const reset = () => collector.pool.query('truncate events.log, events.rejected, events.accounting, events.dedupe')

beforeEach(async () => {
  await reset()
})

const auth = basic(keys.web)
const RUNS = Number(process.env.THROUGHLINE_RUNS ?? 200)
const total = (accounting: Record<string, number>) => Object.values(accounting).reduce((sum, count) => sum + count, 0)

describe('hostile payloads', () => {
  const nested = (depth: number, open = '{"a":', close = '}') => `${open.repeat(depth)}1${close.repeat(depth)}`
  const track = (properties: string) => `{"userId":"ada","event":"Seen","messageId":"m-1","properties":${properties}}`
  test.each([
    ['NUL in a value', track('{"a":"\\u0000"}'), { stored: 1 }],
    ['NUL in a key', track('{"a\\u0000b":1}'), { stored: 1 }],
    ['NUL in an id', '{"userId":"a\\u0000","event":"Seen"}', { stored: 1 }],
    ['half a surrogate pair', track('{"a":"\\ud83d","\\udc00":1}'), { stored: 1 }],
    ['a number beyond a double', track('{"a":1e999,"b":-1e999,"c":-0}'), { stored: 1 }],
    ['__proto__ and constructor', track('{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}'), { stored: 1 }],
    ['duplicate keys', track('{"a":1,"a":2}').replace('"event"', '"event":"First","event"'), { stored: 1 }],
    ['depth 10,000 in objects', track(nested(10_000)), { too_deep: 1 }],
    ['depth 10,000 in arrays', track(nested(10_000, '[', ']')), { too_deep: 1 }],
    ['depth 500,000', nested(500_000), { too_deep: 1 }],
    [
      '300,000 keys',
      track(`{${Array.from({ length: 300_000 }, (_, i) => `"${i}":0`).join()}}`),
      { too_many_properties: 1 },
    ],
    [
      'an array of a million',
      track(`[${'0,'.repeat(1_000_000)}0]`).replace('"properties":', '"traits":{},"x":'),
      { too_many_properties: 1 },
    ],
    ['a text of 3 MB', track(`{"a":"${'x'.repeat(3_000_000)}"}`), { event_too_large: 1 }],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), { missing_event: 1 }],
    ['a byte order mark', Buffer.from(`\uFEFF${track('{}')}`), { stored: 1 }],
    ['not UTF-8 at all', Buffer.from(track('{}'), 'utf16le'), { invalid_json: 1 }],
    ['damaged gzip', gzipSync(track('{}')).subarray(0, 30), { invalid_json: 1 }],
  ])('%s: stored or rejected, and counted', async (_name, body, expected) => {
    const response = await collector.post('/v1/track', body, auth)
    expect(response.status).toBe('stored' in expected ? 200 : 400)
    expect(await collector.accounting()).toEqual(expected)
  })

  test('what could not be kept as it was is kept as what every store can hold', async () => {
    await collector.post(
      '/v1/track',
      track('{"a":"\\u0000x\\ud83d","b":1e999,"c":-0,"__proto__":{"x":1},"d":1,"d":2}'),
      auth,
    )
    const [event] = await collector.events()
    expect(JSON.stringify(event?.properties)).toBe('{"a":"\uFFFDx\uFFFD","b":null,"c":0,"__proto__":{"x":1},"d":2}')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('a batch of 2,500 that holds each of them loses only those', async () => {
    const bad = [nested(10_000), '7', 'null', '{"type":"track"}', '[]']
    const good = Array.from(
      { length: BATCH_EVENTS_MAX - bad.length },
      (_, i) => `{"type":"page","userId":"u","messageId":"m-${i}"}`,
    )
    const response = await collector.post('/v1/batch', `{"batch":[${[...bad, ...good].join()}]}`, auth)
    expect(response.status).toBe(200)
    expect(await collector.accounting()).toEqual({ stored: 2_495, too_deep: 1, not_an_object: 3, missing_event: 1 })
  })
})

describe('bombs', () => {
  const zeros = Buffer.alloc(200_000_000)
  const packed = {
    gzip: gzipSync(zeros),
    'gzip twice': gzipSync(gzipSync(zeros)),
    deflate: deflateSync(zeros),
    br: brotliCompressSync(zeros),
    zstd: zstdCompressSync(zeros),
  }
  test.each(Object.entries(packed))('%s is cut off at the limit', async (name, bomb) => {
    const before = process.memoryUsage().rss
    const headers = { ...auth, 'content-encoding': name.split(' ')[0] as string }
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => (await collector.post('/v1/track', bomb, headers)).status),
    )
    expect(statuses).toEqual([413, 413, 413, 413])
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    expect(await collector.accounting()).toEqual({})
  })
})

/** JSON with the names that mean something here, so that chance reaches the rules. */
const anyCall = fc.oneof(
  fc.record(
    {
      type: fc.oneof(fc.constantFrom('track', 'identify', 'page', 'group', 'alias', 'TRACK'), fc.jsonValue()),
      userId: fc.oneof(fc.string(), fc.jsonValue()),
      anonymousId: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      event: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      messageId: fc.oneof(fc.constantFrom('m-1', 'm-2', 'm-3'), fc.string({ unit: 'binary' }), fc.jsonValue()),
      groupId: fc.jsonValue(),
      previousId: fc.jsonValue(),
      timestamp: fc.oneof(
        fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
        fc.double(),
        fc.jsonValue(),
      ),
      sentAt: fc.oneof(
        fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
        fc.jsonValue(),
      ),
      properties: fc.jsonValue({ maxDepth: 4 }),
      traits: fc.jsonValue(),
      context: fc.jsonValue(),
      integrations: fc.jsonValue(),
      distinct_id: fc.jsonValue(),
      uuid: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const paths = [
  '/v1/track',
  '/v1/i',
  '/v1/group',
  '/v1/alias',
  '/api/s/page',
  '/api/s/event',
  '/capture/',
  '/e/',
] as const
const batchPaths = ['/v1/batch', '/batch/', '/i/v1/analytics/events', '/beacon/v1/batch', '/api/s/s2s/batch'] as const

describe('any input', () => {
  test('any JSON as a single call is stored or rejected with a reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), anyCall, async (path, call) => {
        const response = await collector.post(path, JSON.stringify(call), auth)
        const answer = await fieldsOf(response)
        expect([200, 400]).toContain(response.status)
        if (response.status === 400) expect(Object.keys(rejectionReasons)).toContain(answer.reason)
      }),
      { numRuns: RUNS },
    )
  })

  test('any bytes are stored or rejected with a reason, or refused as too large', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths, ...batchPaths),
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('gzip', 'br', 'deflate', 'zstd', 'identity', 'nonsense'),
        fc.constantFrom(undefined, 0x1f8b, 0x789c),
        async (path, bytes, encoding, magic) => {
          const body = magic === undefined ? bytes : Buffer.concat([Buffer.from([magic >> 8, magic & 0xff]), bytes])
          const response = await collector.post(path, body, { ...auth, 'content-encoding': encoding })
          await response.arrayBuffer()
          expect([200, 400]).toContain(response.status)
        },
      ),
      { numRuns: RUNS },
    )
  })

  test('mutated payloads: JSON that lost, gained or changed bytes', async () => {
    const base = Buffer.from(
      '{"batch":[{"type":"track","event":"Seen","userId":"ada","properties":{"a":[1,-2.5e3,null,"\\u00e9"]}}],"sentAt":"2026-06-01T12:00:00Z"}',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...batchPaths),
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255), fc.constantFrom('change', 'insert', 'delete')), {
          minLength: 1,
          maxLength: 6,
        }),
        async (path, edits) => {
          const bytes = [...base]
          for (const [at, byte, kind] of edits)
            bytes.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [byte]))
          const response = await collector.post(path, Buffer.from(bytes), auth)
          await response.arrayBuffer()
          expect([200, 400]).toContain(response.status)
        },
      ),
      { numRuns: RUNS },
    )
  })

  test('sent = stored + rejected + deduplicated, per workspace, whatever was sent', async () => {
    const requests = fc.array(
      fc.record({
        key: fc.constantFrom(keys.web, keys.server, keys.globex),
        path: fc.constantFrom(...batchPaths, '/v1/track'),
        calls: fc.array(anyCall, { maxLength: 8 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(requests, async sent => {
        await reset()
        const expected = { [keys.web]: 0, [keys.server]: 0, [keys.globex]: 0 }
        await Promise.all(
          sent.flatMap(({ key, path, calls }) => {
            expected[key] += calls.length
            const bodies =
              path === '/v1/track' ? calls.map(call => JSON.stringify(call)) : [JSON.stringify({ batch: calls })]
            return bodies.map(async body => {
              const response = await collector.post(path, body, basic(key))
              expect([200, 400]).toContain(response.status)
            })
          }),
        )
        for (const workspaceId of [1, 2]) {
          const accounting = await collector.accounting(workspaceId)
          const events = await collector.events(workspaceId)
          expect(total(accounting)).toBe(
            workspaceId === 2 ? expected[keys.globex] : expected[keys.web] + expected[keys.server],
          )
          expect(events.length).toBe(accounting.stored ?? 0)
          expect(new Set(events.map(event => event.messageId)).size).toBe(events.length)
        }
      }),
      { numRuns: Math.ceil(RUNS / 6) },
    )
  })
})
