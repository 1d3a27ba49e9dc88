/** The unmodified npm clients for browsers run in a real Chromium, on a page of another origin; the log holds what was called. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Event } from '../../src/spec/event.ts'
import { bundleScript, openBrowser, servePages } from '../browser.ts'
import { type Collector, keys, startCollector } from '../collector.ts'

let collector: Collector
let browser: Browser
beforeAll(async () => {
  collector = await startCollector()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await collector?.close()
})
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting')
})

/** Runs a script on a page of another origin until `count` events are stored. Fails on what the console complains of. */
async function run(script: string, count: number): Promise<Event[]> {
  const pages = await servePages({
    '/shop': '<!doctype html><title>Northwind</title><script src="/app.js"></script>',
    '/app.js': await bundleScript(script),
  })
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  try {
    await page.goto(`${pages.origin}/shop?utm_source=mail`)
    await expect
      .poll(async () => [complaints, (await collector.events()).length], { timeout: 15_000 })
      .toEqual([[], count])
    return await collector.events()
  } finally {
    await page.close()
    await pages.close()
  }
}
const byType = (events: Event[], type: string) => events.find(event => event.type === type) as Event

test.each(['standard', 'batching'])('@segment/analytics-next tells all it was told (%s delivery)', async strategy => {
  const events = await run(
    `import { AnalyticsBrowser } from '@segment/analytics-next'
     const analytics = AnalyticsBrowser.load(
       { writeKey: '${keys.web}', cdnURL: '${collector.url}' },
       { integrations: { 'Segment.io': { deliveryStrategy: { strategy: '${strategy}', config: { size: 6, timeout: 500 } } } } },
     )
     analytics.setAnonymousId('a-1')
     ;(async () => {
       await analytics.page('Shop', 'Home', { theme: 'dark' })
       await analytics.track('Product Viewed', { sku: 'x', price: 12.5 })
       // Once it knows a user it puts that one's id into every call, whatever alias was told.
       await analytics.alias('ada-lovelace', 'ada')
       await analytics.identify('ada', { email: 'ada@example.com', age: 36 })
       await analytics.group('acme', { name: 'Acme' })
       await analytics.screen('Basket', { items: 2 })
     })()`,
    6,
  )
  const library = { name: 'analytics.js', version: expect.stringMatching(/^npm:next-/) }
  const page = { path: '/shop', title: 'Northwind', url: expect.stringContaining('/shop?utm_source=mail') }
  const context = { library, page, campaign: { source: 'mail' }, userAgent: expect.stringContaining('Chrome') }
  expect(byType(events, 'page')).toMatchObject({
    source: 'web',
    anonymousId: 'a-1',
    category: 'Shop',
    name: 'Home',
    properties: { theme: 'dark', ...page },
    context,
  })
  const track = byType(events, 'track')
  expect(track).toMatchObject({
    event: 'Product Viewed',
    anonymousId: 'a-1',
    properties: { sku: 'x', price: 12.5 },
    context,
  })
  expect(track.messageId).toMatch(/^ajs-next-/)
  expect(track).not.toHaveProperty('userId')
  expect(Math.abs(Date.parse(track.timestamp) - Date.parse(track.originalTimestamp as string))).toBeLessThan(2_000)
  const known = { userId: 'ada', anonymousId: 'a-1' }
  expect(byType(events, 'identify')).toMatchObject({ ...known, traits: { email: 'ada@example.com', age: 36 } })
  expect(byType(events, 'group')).toMatchObject({ ...known, groupId: 'acme', traits: { name: 'Acme' } })
  expect(byType(events, 'screen')).toMatchObject({ ...known, name: 'Basket', properties: { items: 2 } })
  expect(byType(events, 'alias')).toMatchObject({ userId: 'ada-lovelace', previousId: 'ada' })
})

test.each([false, true])('@rudderstack/analytics-js tells all it was told (beacon: %s)', async useBeacon => {
  const events = await run(
    `import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'
     const analytics = new RudderAnalytics()
     analytics.load('${keys.web}', '${collector.url}', {
       configUrl: '${collector.url}', useBeacon: ${useBeacon}, beaconQueueOptions: { flushQueueInterval: 100 },
     })
     analytics.setAnonymousId('a-1')
     analytics.page('Shop', 'Home', { theme: 'dark' })
     analytics.track('Product Viewed', { sku: 'x', price: 12.5 })
     analytics.identify('ada', { email: 'ada@example.com', age: 36 })
     analytics.group('acme', { name: 'Acme' })
     analytics.alias('ada-lovelace', 'ada')`,
    5,
  )
  const context = {
    library: { name: 'RudderLabs JavaScript SDK', version: expect.any(String) },
    page: { path: '/shop', title: 'Northwind' },
    campaign: { source: 'mail' },
    channel: 'web',
  }
  expect(byType(events, 'page')).toMatchObject({
    source: 'web',
    anonymousId: 'a-1',
    category: 'Shop',
    name: 'Home',
    properties: { theme: 'dark', path: '/shop' },
    context,
  })
  expect(byType(events, 'track')).toMatchObject({
    event: 'Product Viewed',
    anonymousId: 'a-1',
    properties: { sku: 'x', price: 12.5 },
    context,
  })
  const known = { userId: 'ada', anonymousId: 'a-1' }
  expect(byType(events, 'identify')).toMatchObject({ ...known, traits: { email: 'ada@example.com', age: 36 } })
  expect(byType(events, 'group')).toMatchObject({ ...known, groupId: 'acme', traits: { name: 'Acme' } })
  expect(byType(events, 'alias')).toMatchObject({ userId: 'ada-lovelace', previousId: 'ada' })
})

test('@jitsu/js in a browser tells all it was told', async () => {
  const events = await run(
    `import { jitsuAnalytics } from '@jitsu/js'
     const jitsu = jitsuAnalytics({ host: '${collector.url}', writeKey: '${keys.web}:secret', privacy: { ipPolicy: 'stripLastOctet' } })
     ;(async () => {
       jitsu.setAnonymousId('a-1')
       await jitsu.page('Home', { theme: 'dark' })
       await jitsu.track('Product Viewed', { sku: 'x', price: 12.5 })
       await jitsu.identify('ada', { email: 'ada@example.com', age: 36 })
       await jitsu.group('acme', { name: 'Acme' })
     })()`,
    4,
  )
  const context = {
    library: { name: '@jitsu/js', version: expect.any(String), env: 'browser' },
    campaign: { source: 'mail' },
  }
  expect(byType(events, 'page')).toMatchObject({
    source: 'web',
    anonymousId: 'a-1',
    name: 'Home',
    properties: { theme: 'dark' },
    context,
  })
  expect(byType(events, 'track')).toMatchObject({
    event: 'Product Viewed',
    anonymousId: 'a-1',
    properties: { sku: 'x', price: 12.5 },
    context,
  })
  const known = { userId: 'ada', anonymousId: 'a-1' }
  expect(byType(events, 'identify')).toMatchObject({ ...known, traits: { email: 'ada@example.com', age: 36 } })
  expect(byType(events, 'group')).toMatchObject({ ...known, groupId: 'acme', traits: { name: 'Acme' } })
})
