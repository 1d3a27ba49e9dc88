/**
 * All HTTP of collection, drop-in for the clients of Segment, RudderStack, Jitsu and PostHog: a scope of its own with its
 * own body reader and CORS, so that it can stand on a server that serves other things.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import { PROBLEM_CONTENT_TYPE } from '../http/problem.ts'
import type { Json } from '../spec/json.ts'
import {
  type Arrived,
  anySource,
  type CollectOptions,
  collect,
  enabledSource,
  type FoundSource,
  inflated,
  keepWhole,
  type ReadText,
  sourceBeforeBody,
  storeDelivery,
} from './collect.ts'
import type { Delivery, Fault } from './delivery.ts'
import { openBodyReader } from './read-body.ts'
import {
  type Outcome,
  PIXEL,
  posthogAnswer,
  posthogEventAnswer,
  refusalOf,
  SUCCESS,
  segmentAnswer,
} from './wire-answers.ts'
import { keyInBody, keyInHeaders, keyInQuery } from './wire-auth.ts'
import { corsHeaders, preflightHeaders } from './wire-cors.ts'
import { readJitsu } from './wire-jitsu.ts'
import { emptyFlags, readPosthog, readPosthogText } from './wire-posthog.ts'
import { readRudderPixel, sourceConfig } from './wire-rudderstack.ts'
import { readBatch, readPixelData, readSingle, segmentPaths, segmentSettings } from './wire-segment.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its answer: when that is over, the memory of a large body is free again. */
    response: ServerResponse | null
    /** What its `Content-Type` said: collection does not look at it, a webhook's mapping does. */
    contentType: string | undefined
  }
}

export function collectRoutes(options: CollectOptions): FastifyPluginAsync {
  return async scope => {
    acceptAnyBody(scope, options)
    allowAnyOrigin(scope)
    segmentRoutes(scope, options)
    rudderstackRoutes(scope, options)
    jitsuRoutes(scope, options)
    posthogRoutes(scope, options)
    if (options.receiveWebhook) webhookRoutes(scope, options, options.receiveWebhook)
  }
}

/** Clients send JSON as text/plain, as a form, gzipped without saying so: what the body is, its bytes say. */
function acceptAnyBody(scope: FastifyInstance, options: CollectOptions): void {
  const reader = openBodyReader()
  scope.decorateRequest('response', null)
  scope.decorateRequest('contentType', undefined)
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', async (request: FastifyRequest): Promise<Arrived> => {
    const source = await sourceBeforeBody(options, request)
    const body = await reader.read(request.raw, request.response as ServerResponse)
    return { headers: request.raw.headers, query: request.query, body, source }
  })
}

/** A preflight for every path, and the headers on every answer, refusals included: a page must be able to read those. */
function allowAnyOrigin(scope: FastifyInstance): void {
  scope.addHook('onRequest', (request, reply, done) => {
    request.response = reply.raw
    const { headers } = request.raw
    if (headers.origin !== undefined) reply.headers(corsHeaders(headers.origin))
    // Whatever stands there is not believed, and the framework refuses what it cannot read.
    if (headers['content-type'] !== undefined) {
      request.contentType = headers['content-type']
      headers['content-type'] = 'application/octet-stream'
    }
    done()
  })
  const known = new Set<string>()
  scope.addHook('onRoute', route => {
    if (known.has(route.url) || route.method === 'OPTIONS') return
    known.add(route.url)
    scope.options(route.url, (request, reply) => reply.code(204).headers(preflightHeaders(request.raw.headers)).send())
  })
}

function segmentRoutes(scope: FastifyInstance, options: CollectOptions): void {
  for (const [path, type] of Object.entries(segmentPaths)) {
    scope.post(
      `/v1/${path}`,
      collecting(options, body => readSingle(body, type)),
    )
    scope.get(`/v1/pixel/${path}`, (request, reply) =>
      answerPixel(reply, async () => {
        const data = readPixelData(request.query)
        const key = 'value' in data ? keyInBody(data.value) : undefined
        const source = await enabledSource(options, key ?? keyInQuery(request.query) ?? '')
        if ('fault' in data) await keepWhole(options, source, data.fault, data.text)
        else await storeDelivery(options, source, readSingle(data.value, type), options.now())
      }),
    )
  }
  for (const path of ['/v1/batch', '/v1/b', '/v1/import']) scope.post(path, collecting(options, readBatch))
  // Statistics of the client about itself: taken, so that it stays quiet, and dropped.
  scope.post('/v1/m', (_request, reply) => sendJson(reply, SUCCESS))
  scope.get('/v1/projects/:writeKey/settings', async (request, reply) => {
    const { writeKey } = request.params as { writeKey: string }
    await enabledSource(options, writeKey)
    return sendSettings(reply, segmentSettings(writeKey, originOf(options, request)))
  })
  for (const path of ['/analytics.js/v1/:writeKey/analytics.min.js', '/next-integrations/*']) {
    scope.get(path, async () => {
      throw new Problem('not_found', 'This server does not host the analytics.js script.', {
        hint: 'Bundle @segment/analytics-next from npm and give it this server as cdnURL.',
      })
    })
  }
}

function rudderstackRoutes(scope: FastifyInstance, options: CollectOptions): void {
  for (const path of ['/sourceConfig', '/sourceConfig/']) {
    scope.get(path, async (request, reply) => {
      const key = keyInHeaders(request.raw.headers) ?? keyInQuery(request.query) ?? ''
      return sendSettings(reply, sourceConfig(await anySource(options, key), key))
    })
  }
  scope.post('/beacon/v1/batch', collecting(options, readBatch))
  for (const type of ['track', 'page'] as const) {
    scope.get(`/pixel/v1/${type}`, (request, reply) =>
      answerPixel(reply, async () => {
        const source = await enabledSource(options, keyInQuery(request.query) ?? '')
        await storeDelivery(options, source, readRudderPixel(request.query, type), options.now())
      }),
    )
  }
  scope.post('/rsaMetrics', (_request, reply) => sendJson(reply, SUCCESS))
  scope.post('/rsaRequest', async () => {
    // Setting whatever cookies a stranger's page asks for would let it choose the session of this origin's own app.
    throw new Problem('not_found', 'This server sets no cookies for other pages; the SDK sets them itself then.')
  })
}

function jitsuRoutes(scope: FastifyInstance, options: CollectOptions): void {
  for (const path of ['/api/s/:type', '/api/s/s2s/:type']) {
    scope.post(
      path,
      collecting(options, (body, request) => {
        const { type } = request.params as { type: string }
        return type === 'batch' ? readBatch(body) : readJitsu(body, type)
      }),
    )
  }
}

function posthogRoutes(scope: FastifyInstance, options: CollectOptions): void {
  const read: ReadRequest = (body, request) => {
    const { 'posthog-sdk-info': sdk, 'posthog-request-timestamp': sentAt } = request.raw.headers
    return readPosthog(body, { receivedAt: options.now(), sdk: oneText(sdk), sentAt: oneText(sentAt) })
  }
  for (const path of ['/batch', '/batch/', '/capture', '/capture/', '/e', '/e/', '/i/v0/e', '/i/v0/e/']) {
    scope.post(path, collecting(options, read, { answer: posthogAnswer, readText: readPosthogText }))
  }
  scope.post('/i/v1/analytics/events', collecting(options, read, { answer: posthogEventAnswer }))
  for (const path of ['/flags', '/flags/', '/decide', '/decide/']) {
    scope.post(path, (_request, reply) => sendJson(reply, JSON.stringify(emptyFlags)))
  }
}

function webhookRoutes(
  scope: FastifyInstance,
  options: CollectOptions,
  receive: NonNullable<CollectOptions['receiveWebhook']>,
): void {
  scope.route({
    method: ['GET', 'POST'],
    url: '/v1/webhooks/:writeKey',
    handler: async (request, reply) => {
      const arrived = await arrivedWith(options, request)
      const answer = await receive({
        source: arrived.source as FoundSource,
        method: request.method as 'GET' | 'POST',
        headers: { ...request.raw.headers, 'content-type': request.contentType },
        query: request.query as Record<string, unknown>,
        body: (await inflated(arrived)) ?? arrived.body,
        receivedAt: options.now(),
      })
      reply.code(answer.status)
      return typeof answer.body === 'string'
        ? reply.type('text/plain; charset=utf-8').send(answer.body)
        : sendJson(reply, JSON.stringify(answer.body))
    },
  })
}

type ReadRequest = (body: Json, request: FastifyRequest) => Delivery | Fault

interface Manner {
  /** The body of a 200. */
  answer?(outcome: Outcome): string
  readText?: ReadText
}

/** The handler of an endpoint that takes events. */
function collecting(options: CollectOptions, read: ReadRequest, manner: Manner = {}) {
  const answer = manner.answer ?? segmentAnswer
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const arrived = await arrivedWith(options, request)
    const outcome = await collect(options, arrived, body => read(body, request), manner.readText)
    const refusal = refusalOf(outcome)
    if (refusal === undefined) return sendJson(reply, answer(outcome))
    return reply.code(refusal.status).type(PROBLEM_CONTENT_TYPE).send(JSON.stringify(refusal))
  }
}

async function answerPixel(reply: FastifyReply, store: () => Promise<unknown>): Promise<FastifyReply> {
  try {
    await store()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // Whose fault it is decides: an image is shown whatever a page did wrong, but 200 would say that the event is kept.
    if (error.retryAfterSeconds !== undefined) {
      reply.code(error.status).header('retry-after', String(error.retryAfterSeconds))
    }
  }
  return reply.header('content-type', 'image/gif').header('cache-control', 'no-store').send(PIXEL)
}

const sendJson = (reply: FastifyReply, body: string) =>
  reply.header('content-type', 'application/json; charset=utf-8').send(body)

const sendSettings = (reply: FastifyReply, settings: Json) =>
  sendJson(reply.header('cache-control', SETTINGS_CACHE), JSON.stringify(settings))
const SETTINGS_CACHE = 'private, max-age=60'

function originOf(options: CollectOptions, request: FastifyRequest): string {
  const origin = options.publicOrigin ?? `${request.protocol}://${request.host}`
  if (!URL.canParse(origin)) throw new Problem('invalid_request', 'The Host header is not an address.')
  return origin
}

const oneText = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header)

/** A request without a body never meets the parser. */
async function arrivedWith(options: CollectOptions, request: FastifyRequest): Promise<Arrived> {
  if (request.body) return request.body as Arrived
  const source = await sourceBeforeBody(options, request)
  return { headers: request.raw.headers, query: request.query, body: Buffer.alloc(0), source }
}
