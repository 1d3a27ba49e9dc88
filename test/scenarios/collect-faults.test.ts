/** When the database goes away, or more arrives than it can take: clients are told to come again, and nothing acknowledged is lost. */
import { connect } from 'node:net'
import { Analytics } from '@segment/analytics-node'
import { PostHog } from 'posthog-node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPostgres } from '../../src/store/postgres.ts'
import { basic, type Collector, keys, startCollector } from '../collector.ts'

let collector: Collector
beforeAll(async () => {
  collector = await startCollector()
})
afterAll(() => collector.close())
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting, events.dedupe')
})

const auth = basic(keys.web)
const seen = (messageId: string, text = '') => ({
  type: 'track',
  event: 'Seen',
  userId: 'ada',
  messageId,
  properties: { text },
})

/** Holds up every commit until the returned function is called. */
async function holdCommits(): Promise<() => Promise<void>> {
  const client = await collector.pool.connect()
  await client.query('begin')
  await client.query('lock table events.dedupe in access exclusive mode')
  return async () => {
    await client.query('rollback')
    client.release()
  }
}
/** Ends the connection that writes the lane, as a crash of its backend would. */
const endLane = () =>
  collector.pool.query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and classid = 7070 and granted
       and database = (select oid from pg_database where datname = current_database())`,
  )
const waitForCommit = () =>
  expect
    .poll(async () => {
      const { rows } = await collector.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows.length
    })
    .toBe(1)

test('a backend that dies during a commit is answered 503, and the repetition is stored once', async () => {
  const release = await holdCommits()
  const answer = collector.post('/v1/track', seen('m-1'), auth)
  await waitForCommit()
  await endLane()
  const response = await answer
  await release()
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await response.json()).toMatchObject({ code: 'unavailable', hint: expect.any(String) })

  await expect.poll(async () => (await collector.post('/v1/track', seen('m-1'), auth)).status).toBe(200)
  expect(await collector.events()).toMatchObject([{ messageId: 'm-1' }])
})

/** Nobody can connect until the returned function is called. */
async function closeDatabase(): Promise<() => Promise<void>> {
  const { database } = collector.connection
  const admin = openPostgres({ ...collector.connection, database: 'postgres' }, { size: 1 })
  await admin.query(`alter database ${database} allow_connections false`)
  await endLane()
  return async () => {
    await admin.query(`alter database ${database} allow_connections true`)
    await admin.end()
  }
}

test('a database that takes no connections is answered 503 until it does again', async () => {
  const reopen = await closeDatabase()
  for (const path of ['/v1/track', '/v1/batch', '/capture/', '/api/s/track']) {
    const body = path === '/v1/batch' ? { batch: [seen('m-1')] } : { ...seen('m-1'), distinct_id: 'ada' }
    const response = await collector.post(path, body, auth)
    expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '2'])
  }
  const pixel = await fetch(`${collector.url}/pixel/v1/track?writeKey=${keys.web}&userId=ada&event=Seen`)
  expect([pixel.status, pixel.headers.get('retry-after')]).toEqual([503, '2'])
  expect(collector.accepter.isReady()).toBe(false)

  await reopen()
  await expect.poll(async () => (await collector.post('/v1/track', seen('m-1'), auth)).status).toBe(200)
  expect(await collector.accounting()).toEqual({ stored: 1 })
})

test('unmodified clients come again by themselves, and nothing is lost or stored twice', async () => {
  const reopen = await closeDatabase()
  const segment = new Analytics({ writeKey: keys.server, host: collector.url })
  const posthog = new PostHog(keys.web, { host: collector.url, fetchRetryCount: 10, fetchRetryDelay: 200 })
  const refusals = new Promise(resolve => segment.on('http_request', resolve))
  segment.track({ userId: 'ada', event: 'Ordered' })
  posthog.capture({ distinctId: 'ada', event: 'Viewed' })
  const flushed = Promise.all([segment.closeAndFlush({ timeout: 20_000 }), posthog.shutdown(20_000)])
  await refusals
  await expect.poll(async () => (await collector.post('/v1/track', seen('m-1'), auth)).status).toBe(503)
  await reopen()
  await flushed
  const events = await collector.events()
  expect(events.map(event => event.event).sort()).toEqual(['Ordered', 'Viewed'])
})

test('more than can be held is answered 429, small requests still get in, and what was answered 200 is stored', async () => {
  const release = await holdCommits()
  const big = (index: number) => ({ batch: [1, 2, 3].map(part => seen(`m-${index}-${part}`, 'x'.repeat(1_000_000))) })
  const answers = Array.from({ length: 40 }, (_, index) => collector.post('/v1/batch', big(index), auth))
  const statuses: number[] = []
  const first = await Promise.race(answers)
  expect([first.status, first.headers.get('retry-after')]).toEqual([429, '2'])

  await release()
  for (const answer of answers) statuses.push((await answer).status)
  const accepted = statuses.filter(status => status === 200).length
  expect(accepted).toBeGreaterThan(5)
  expect(statuses.filter(status => status === 429).length).toBe(40 - accepted)
  expect(await collector.accounting()).toEqual({ stored: accepted * 3 })
  // What was held is given back: the same again gets in.
  expect((await collector.post('/v1/batch', big(100), auth)).status).toBe(200)
})

test('bodies that were never finished give back what they held', async () => {
  const { port } = new URL(collector.url)
  const half = 'x'.repeat(2_000_000)
  for (let round = 0; round < 40; round += 1) {
    await new Promise<void>(resolve => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('close', () => resolve()).on('error', () => {})
      const head = `POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: ${auth.authorization}\r\nContent-Length: 3000000\r\n\r\n`
      socket.write(head + half, () => socket.destroy())
    })
  }
  const response = await collector.post('/v1/track', seen('m-1', 'x'.repeat(900_000)), auth)
  expect(response.status).toBe(200)
})
