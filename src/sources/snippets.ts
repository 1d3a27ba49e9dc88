/**
 * Code to paste: this server's origin and a source's write key come in; ready-made code for each client that can send
 * to it goes out. The clients are the unmodified packages from npm: only where they send to is set.
 */

const snippetIds = [
  'segment-browser',
  'segment-node',
  'rudderstack-browser',
  'rudderstack-node',
  'jitsu-browser',
  'posthog-node',
  'http',
  'pixel',
  'webhook',
] as const
type SnippetId = (typeof snippetIds)[number]

export interface Snippet {
  id: SnippetId
  title: string
  /** For highlighting: a module of JavaScript, a command line, or a page. */
  language: 'js' | 'sh' | 'html'
  code: string
}

export interface SnippetPlace {
  /** Where clients reach this server, such as `https://events.example.com`; a path below it is left off. */
  origin: string
  /** Of the source; letters, digits, `_`, `-` and `.` only, so that it needs no escaping anywhere. */
  writeKey: string
}

/** All snippets, in the order in which they are offered. `origin` must be an http or https address. */
export function snippets({ origin, writeKey }: SnippetPlace): Snippet[] {
  const place: Place = { url: new URL(origin), writeKey }
  return snippetIds.map(id => ({ id, ...makers[id](place) }))
}

interface Place {
  url: URL
  writeKey: string
}

const makers: Readonly<Record<SnippetId, (place: Place) => Omit<Snippet, 'id'>>> = {
  'segment-browser': ({ url, writeKey }) => ({
    title: 'Segment, in the browser',
    language: 'js',
    // The client adds /t, /i and so on to apiHost, and believes in https unless it is told otherwise.
    code: `// npm install @segment/analytics-next
import { AnalyticsBrowser } from '@segment/analytics-next'

export const analytics = AnalyticsBrowser.load(
  { writeKey: '${writeKey}', cdnURL: '${url.origin}' },
  { integrations: { 'Segment.io': { apiHost: '${url.host}/v1', protocol: '${url.protocol.slice(0, -1)}' } } },
)

analytics.page()
analytics.identify('user-123', { email: 'ada@example.com', name: 'Ada' })
analytics.track('Product Viewed', { product_id: 'tea-1', price: 4.5, currency: 'EUR' })
`,
  }),

  'segment-node': ({ url, writeKey }) => ({
    title: 'Segment, on a server with Node.js',
    language: 'js',
    code: `// npm install @segment/analytics-node
import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: '${writeKey}', host: '${url.origin}' })

analytics.identify({ userId: 'user-123', traits: { email: 'ada@example.com', name: 'Ada' } })
analytics.track({ userId: 'user-123', event: 'Order Completed', properties: { order_id: 'order-1', total: 9, currency: 'EUR' } })

// Before the program ends: what is still waiting is sent.
await analytics.closeAndFlush()
`,
  }),

  'rudderstack-browser': ({ url, writeKey }) => ({
    title: 'RudderStack, in the browser',
    language: 'js',
    // /bundled: the plain import would fetch its parts from RudderStack's servers.
    code: `// npm install @rudderstack/analytics-js
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'

export const analytics = new RudderAnalytics()
analytics.load('${writeKey}', '${url.origin}', { configUrl: '${url.origin}' })

analytics.page()
analytics.identify('user-123', { email: 'ada@example.com', name: 'Ada' })
analytics.track('Product Viewed', { product_id: 'tea-1', price: 4.5, currency: 'EUR' })
`,
  }),

  'rudderstack-node': ({ url, writeKey }) => ({
    title: 'RudderStack, on a server with Node.js',
    language: 'js',
    code: `// npm install @rudderstack/rudder-sdk-node
import Analytics from '@rudderstack/rudder-sdk-node'

const analytics = new Analytics('${writeKey}', { dataPlaneUrl: '${url.origin}' })

analytics.identify({ userId: 'user-123', traits: { email: 'ada@example.com', name: 'Ada' } })
analytics.track({ userId: 'user-123', event: 'Order Completed', properties: { order_id: 'order-1', total: 9, currency: 'EUR' } })

// Before the program ends: what is still waiting is sent.
await analytics.flush()
`,
  }),

  'jitsu-browser': ({ url, writeKey }) => ({
    title: 'Jitsu, in the browser',
    language: 'js',
    code: `// npm install @jitsu/js
import { jitsuAnalytics } from '@jitsu/js'

// Jitsu's client wants a key in two parts; what follows the colon is not read.
export const analytics = jitsuAnalytics({ host: '${url.origin}', writeKey: '${writeKey}:browser' })

analytics.page()
analytics.identify('user-123', { email: 'ada@example.com', name: 'Ada' })
analytics.track('Product Viewed', { product_id: 'tea-1', price: 4.5, currency: 'EUR' })
`,
  }),

  'posthog-node': ({ url, writeKey }) => ({
    title: 'PostHog, on a server with Node.js',
    language: 'js',
    code: `// npm install posthog-node
import { PostHog } from 'posthog-node'

const posthog = new PostHog('${writeKey}', { host: '${url.origin}' })

posthog.identify({ distinctId: 'user-123', properties: { email: 'ada@example.com', name: 'Ada' } })
posthog.capture({ distinctId: 'user-123', event: 'Order Completed', properties: { order_id: 'order-1', total: 9, currency: 'EUR' } })

// Before the program ends: what is still waiting is sent.
await posthog.shutdown()
`,
  }),

  http: ({ url, writeKey }) => ({
    title: 'HTTP, from anywhere',
    language: 'sh',
    code: `curl ${url.origin}/v1/identify -u '${writeKey}:' -H 'Content-Type: application/json' -d '{
  "userId": "user-123",
  "traits": { "email": "ada@example.com", "name": "Ada" }
}'

curl ${url.origin}/v1/track -u '${writeKey}:' -H 'Content-Type: application/json' -d '{
  "userId": "user-123",
  "event": "Order Completed",
  "properties": { "order_id": "order-1", "total": 9, "currency": "EUR" }
}'
`,
  }),

  pixel: ({ url, writeKey }) => {
    const call = JSON.stringify({
      writeKey,
      userId: 'user-123',
      event: 'Email Opened',
      properties: { campaign: 'spring' },
    })
    return {
      title: 'Pixel, for e-mails',
      language: 'html',
      code: `<!-- data is the base64 (as in URLs) of ${call} -->
<img src="${url.origin}/v1/pixel/track?data=${base64url(call)}" width="1" height="1" alt="">
`,
    }
  },

  webhook: ({ url, writeKey }) => ({
    title: 'Webhook, for other systems',
    language: 'sh',
    code: `# Give this address to the system that sends. What a delivery means, the source's preset or mapping says.
curl ${url.origin}/v1/webhooks/${writeKey} -H 'Content-Type: application/json' -d '{ "any": "JSON" }'
`,
  }),
}

/** The alphabet that needs no escaping in an address. The text is ASCII: write keys and made-up names are. */
const base64url = (text: string): string => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
