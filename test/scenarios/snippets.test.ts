/** The code that the program offers for pasting is pasted: each snippet runs as it stands, and the log holds its events. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { WebhookDelivery } from '../../src/events/collect.ts'
import { type Snippet, snippets } from '../../src/sources/snippets.ts'
import type { Event } from '../../src/spec/event.ts'
import { bundleScript, openBrowser, servePages } from '../browser.ts'
import { type Collector, keys, startCollector } from '../collector.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
type SnippetId = Snippet['id']
const hasCurl = spawnSync('curl', ['--version']).status === 0

let collector: Collector
let browser: Browser
const deliveries: WebhookDelivery[] = []
beforeAll(async () => {
  collector = await startCollector({
    receiveWebhook: async delivery => {
      deliveries.push(delivery)
      return { status: 200, body: { success: true } }
    },
  })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await collector?.close()
})
beforeEach(async () => {
  await collector.pool.query('truncate events.log, events.rejected, events.accounting')
})

function snippet(id: SnippetId): Snippet {
  const found = snippets({ origin: collector.url, writeKey: keys.web }).find(each => each.id === id)
  if (!found) throw new Error(`There is no snippet ${id}.`)
  return found
}

async function stored(count: number): Promise<Event[]> {
  await expect.poll(async () => (await collector.events()).length, { timeout: 15_000 }).toBe(count)
  return collector.events()
}

/** Opens a page of another origin. */
async function openPage(pages: Record<string, string>): Promise<() => Promise<void>> {
  const server = await servePages(pages)
  const page = await browser.newPage()
  await page.goto(`${server.origin}/`)
  return async () => {
    await page.close()
    await server.close()
  }
}

const ada = { email: 'ada@example.com', name: 'Ada' }

describe.each(['segment-node', 'rudderstack-node', 'posthog-node'] as const)('the snippet %s', id => {
  test('runs in Node.js as it stands', async () => {
    // A module given on the command line finds packages from where it runs, as a pasted file would.
    await run(process.execPath, ['--input-type=module', '--eval', snippet(id).code], { cwd: root, timeout: 20_000 })
    const events = await stored(2)
    const identify = events.find(event => event.type === 'identify')
    expect(identify).toMatchObject({ source: 'web', userId: 'user-123', traits: ada })
    expect(events.find(event => event.type === 'track')).toMatchObject({
      event: 'Order Completed',
      userId: 'user-123',
      properties: { order_id: 'order-1', total: 9, currency: 'EUR' },
    })
  })
})

describe.each(['segment-browser', 'rudderstack-browser', 'jitsu-browser'] as const)('the snippet %s', id => {
  test('runs in a browser as it stands', async () => {
    const script = await bundleScript(snippet(id).code)
    const close = await openPage({
      '/': '<!doctype html><title>Shop</title><script src="/app.js"></script>',
      '/app.js': script,
    })
    try {
      const events = await stored(3)
      expect(events.map(event => event.type).sort()).toEqual(['identify', 'page', 'track'])
      expect(events.find(event => event.type === 'identify')).toMatchObject({ userId: 'user-123', traits: ada })
      expect(events.find(event => event.type === 'track')).toMatchObject({
        event: 'Product Viewed',
        properties: { product_id: 'tea-1', price: 4.5, currency: 'EUR' },
      })
    } finally {
      await close()
    }
  })
})

test('the snippet pixel, in a page, is an event', async () => {
  const close = await openPage({ '/': `<!doctype html>${snippet('pixel').code}` })
  try {
    const [event] = await stored(1)
    expect(event).toMatchObject({
      type: 'track',
      event: 'Email Opened',
      userId: 'user-123',
      properties: { campaign: 'spring' },
    })
  } finally {
    await close()
  }
})

describe.skipIf(!hasCurl)('on a command line', () => {
  const paste = (id: SnippetId) => run('sh', ['-ec', snippet(id).code.replaceAll('curl ', 'curl --silent --fail ')])

  test('the snippet http is two events', async () => {
    await paste('http')
    const events = await stored(2)
    expect(events.map(event => event.type)).toEqual(['identify', 'track'])
    expect(events[0]?.traits).toEqual(ada)
  })

  test('the snippet webhook is a delivery', async () => {
    await paste('webhook')
    expect(deliveries.map(({ source, body }) => [source.slug, JSON.parse(body.toString())])).toEqual([
      ['web', { any: 'JSON' }],
    ])
  })
})
