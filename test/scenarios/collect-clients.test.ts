/** The unmodified npm clients for servers call; the log then holds, field by field, what was called. */
import { createRequire } from 'node:module'
import { jitsuAnalytics } from '@jitsu/js'
import { Analytics } from '@segment/analytics-node'
import { PostHog } from 'posthog-node'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Event } from '../../src/spec/event.ts'
import { type Collector, keys, startCollector } from '../collector.ts'

let collector: Collector
beforeAll(async () => {
  collector = await startCollector()
})
afterAll(() => collector.close())
afterEach(() => vi.unstubAllEnvs())
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting')
})

const backdated = new Date('2026-01-02T03:04:05.678Z')

/** Waits for the log itself, as clients do not say when they have sent. */
async function stored(count: number): Promise<Event[]> {
  await expect.poll(async () => (await collector.events()).length, { timeout: 10_000 }).toBe(count)
  return collector.events()
}
const byName = (events: Event[], name: string) => events.find(event => (event.event ?? event.type) === name)

test('a call of @segment/analytics-node is stored as it was made', async () => {
  const analytics = new Analytics({ writeKey: keys.server, host: collector.url })
  const person = { userId: 'ada', anonymousId: 'a-1' }
  analytics.identify({ ...person, traits: { email: 'ada@example.com', age: 36 }, timestamp: backdated })
  analytics.track({ userId: 'ada', event: 'Order Completed', properties: { total: 12.5, lines: [{ sku: 'x' }] } })
  analytics.page({
    anonymousId: 'a-1',
    category: 'Shop',
    name: 'Home',
    properties: { url: 'https://shop.example.com/' },
  })
  analytics.screen({ userId: 'ada', name: 'Basket', properties: { items: 2 } })
  analytics.group({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme' }, context: { ip: '203.0.113.7' } })
  analytics.alias({ userId: 'ada', previousId: 'ada-old' })
  await analytics.closeAndFlush()

  const events = await stored(6)
  const library = { name: '@segment/analytics-node', version: expect.any(String) }
  expect(byName(events, 'identify')).toMatchObject({
    source: 'server',
    ...person,
    traits: { email: 'ada@example.com', age: 36 },
    timestamp: backdated.toISOString(),
    context: { library },
  })
  expect(byName(events, 'Order Completed')).toMatchObject({
    type: 'track',
    userId: 'ada',
    properties: { total: 12.5, lines: [{ sku: 'x' }] },
    messageId: expect.stringMatching(/^node-next-/),
  })
  expect(byName(events, 'page')).toMatchObject({
    anonymousId: 'a-1',
    name: 'Home',
    category: 'Shop',
    properties: { url: 'https://shop.example.com/', category: 'Shop' },
  })
  expect(byName(events, 'screen')).toMatchObject({ userId: 'ada', name: 'Basket', properties: { items: 2 } })
  expect(byName(events, 'group')).toMatchObject({
    groupId: 'acme',
    traits: { name: 'Acme' },
    context: { ip: '203.0.113.7', library },
  })
  expect(byName(events, 'alias')).toMatchObject({ userId: 'ada', previousId: 'ada-old' })
})

test('a call of @rudderstack/rudder-sdk-node is stored as it was made, backdated ones at their time', async () => {
  const Rudder = createRequire(import.meta.url)('@rudderstack/rudder-sdk-node') as RudderClass
  const rudder = new Rudder(keys.server, { dataPlaneUrl: collector.url, flushInterval: 50 })
  rudder.identify({ userId: 'ada', anonymousId: 'a-1', traits: { email: 'ada@example.com' }, timestamp: backdated })
  rudder.track({ userId: 'ada', event: 'Order Completed', properties: { total: 12.5 } })
  rudder.page({ anonymousId: 'a-1', name: 'Home', category: 'Shop', properties: { path: '/' } })
  rudder.screen({ userId: 'ada', name: 'Basket', properties: { items: 2 } })
  rudder.group({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme' }, integrations: { All: false } })
  rudder.alias({ userId: 'ada', previousId: 'ada-old' })
  await rudder.flush()

  const events = await stored(6)
  const context = { library: { name: 'analytics-node', version: expect.any(String) }, channel: 'server' }
  expect(byName(events, 'identify')).toMatchObject({
    source: 'server',
    userId: 'ada',
    anonymousId: 'a-1',
    traits: { email: 'ada@example.com' },
    timestamp: backdated.toISOString(),
    context,
  })
  const track = byName(events, 'Order Completed') as Event
  expect(track).toMatchObject({ type: 'track', userId: 'ada', properties: { total: 12.5 }, context })
  // Its own clock is kept: what lies between the call and its sending is no skew.
  expect(track.timestamp).toBe(track.originalTimestamp)
  expect(byName(events, 'page')).toMatchObject({
    anonymousId: 'a-1',
    name: 'Home',
    category: 'Shop',
    properties: { path: '/' },
  })
  expect(byName(events, 'screen')).toMatchObject({ userId: 'ada', name: 'Basket', properties: { items: 2 } })
  expect(byName(events, 'group')).toMatchObject({
    groupId: 'acme',
    traits: { name: 'Acme' },
    integrations: { All: false },
  })
  expect(byName(events, 'alias')).toMatchObject({ userId: 'ada', previousId: 'ada-old' })
})
/** Its types describe a default export that its CommonJS does not have. */
type RudderCall = (message: Record<string, unknown>) => unknown
type RudderClass = new (
  writeKey: string,
  options: Record<string, unknown>,
) => Record<'identify' | 'track' | 'page' | 'screen' | 'group' | 'alias', RudderCall> & { flush(): Promise<unknown> }

test.each(['v0', 'v1'])(
  'a call of posthog-node is stored in the words of the Segment spec (capture mode %s)',
  async mode => {
    vi.stubEnv('POSTHOG_CAPTURE_MODE', mode)
    const posthog = new PostHog(keys.server, { host: collector.url })
    posthog.identify({
      distinctId: 'ada',
      properties: { $set: { email: 'ada@example.com' }, $set_once: { channel: 'mail' } },
    })
    posthog.capture({
      distinctId: 'ada',
      event: 'Order Completed',
      properties: { total: 12.5, $set: { plan: 'pro' } },
      timestamp: backdated,
      groups: { company: 'acme', project: '7' },
    })
    posthog.capture({ distinctId: 'a-1', event: 'Browsed', properties: { $process_person_profile: false } })
    posthog.capture({
      distinctId: 'ada',
      event: '$pageview',
      properties: { $current_url: 'https://shop.example.com/a', title: 'A' },
    })
    posthog.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { name: 'Acme' }, distinctId: 'ada' })
    posthog.groupIdentify({ groupType: 'project', groupKey: '7', properties: { name: 'Seven' } })
    posthog.alias({ distinctId: 'ada', alias: 'ada-old' })
    await posthog.shutdown()

    const events = await stored(7)
    const library = { name: 'posthog-node', version: expect.any(String) }
    expect(byName(events, 'identify')).toMatchObject({
      userId: 'ada',
      traits: { email: 'ada@example.com', channel: 'mail' },
      context: { library, traitsOnce: ['channel'] },
    })
    const order = byName(events, 'Order Completed')
    expect(order).toMatchObject({
      type: 'track',
      userId: 'ada',
      groupId: 'acme',
      properties: { total: 12.5 },
      traits: { plan: 'pro' },
      context: { library },
      timestamp: backdated.toISOString(),
    })
    expect(order).not.toHaveProperty('anonymousId')
    expect(order?.properties).not.toHaveProperty('$set')
    // The newer mode names its library in a header: this tells that it was that mode.
    expect(order?.properties?.$lib).toBe(mode === 'v0' ? 'posthog-node' : undefined)
    expect(byName(events, 'Browsed')).toMatchObject({ anonymousId: 'a-1' })
    expect(byName(events, 'Browsed')).not.toHaveProperty('userId')
    expect(byName(events, 'page')).toMatchObject({
      name: 'A',
      properties: { url: 'https://shop.example.com/a', title: 'A' },
      context: { page: { url: 'https://shop.example.com/a', title: 'A' } },
    })
    const groups = events.filter(event => event.type === 'group')
    expect(groups[0]).toMatchObject({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme' } })
    expect(groups[1]).toMatchObject({ groupId: 'project:7', traits: { name: 'Seven' } })
    expect(groups[1]).not.toHaveProperty('userId')
    expect(byName(events, 'alias')).toMatchObject({ userId: 'ada', previousId: 'ada-old' })
  },
)

test.each([false, true])('a call of @jitsu/js on a server is stored as it was made (s2s: %s)', async s2s => {
  const jitsu = jitsuAnalytics({ host: collector.url, writeKey: `${keys.server}:secret`, s2s })
  await jitsu.identify('ada', { email: 'ada@example.com' })
  await jitsu.track('Order Completed', { total: 12.5 })
  await jitsu.page('Home', { path: '/' })
  await jitsu.group('acme', { name: 'Acme' })

  const events = await stored(4)
  const library = { name: '@jitsu/js', version: expect.any(String), env: 'node' }
  expect(byName(events, 'identify')).toMatchObject({
    source: 'server',
    userId: 'ada',
    traits: { email: 'ada@example.com' },
    context: { library },
  })
  expect(byName(events, 'Order Completed')).toMatchObject({ type: 'track', userId: 'ada', properties: { total: 12.5 } })
  expect(byName(events, 'page')).toMatchObject({ name: 'Home', properties: { path: '/' } })
  expect(byName(events, 'group')).toMatchObject({ groupId: 'acme', traits: { name: 'Acme' }, userId: 'ada' })
  expect(new Set(events.map(event => event.anonymousId)).size).toBe(1)
})

test('a client with an unknown write key stores nothing', async () => {
  const analytics = new Analytics({ writeKey: 'wk_nobody', host: collector.url, maxRetries: 0 })
  const heard = new Promise(resolve => analytics.on('error', resolve))
  analytics.track({ userId: 'ada', event: 'Lost' })
  await analytics.closeAndFlush()
  expect(await heard).toBeDefined()
  expect(await collector.events()).toEqual([])
})
