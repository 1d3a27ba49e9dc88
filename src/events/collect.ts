/**
 * The shell of collection. In: one request. Out: its events durably stored, each refused one kept with its reason, and
 * what became of them; or a `Problem`.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../errors.ts'
import { isJsonObject, type Json } from '../spec/json.ts'
import type { Accepter } from './accept.ts'
import type { Acceptance } from './commit.ts'
import type { Delivery, Fault } from './delivery.ts'
import { fillSubmission } from './fill-submission.ts'
import { inflate, isDeflated } from './inflate.ts'
import { parseJson } from './json-text.ts'
import type { Outcome } from './wire-answers.ts'
import { keyInBearer, keyInBody, keyInHeaders, keyInQuery } from './wire-auth.ts'

export interface FoundSource {
  workspaceId: number
  slug: string
  isEnabled: boolean
  kind: string
  settings: unknown
}

type Found = FoundSource | null | undefined

export interface CollectOptions {
  accepter: Pick<Accepter, 'accept'>
  /** Nothing: no source has this key. May throw: the clients are then told to come again. */
  findSource(writeKey: string): Found | Promise<Found>
  newMessageId(): string
  /** Epoch milliseconds. */
  now(): number
  /** `https://events.example.com`, where browsers shall send to; without it, wherever they asked for their settings. */
  publicOrigin?: string
  /** Takes a delivery to `/v1/webhooks/:writeKey`; without it that path does not exist. */
  receiveWebhook?(delivery: WebhookDelivery): Promise<WebhookAnswer>
}

export interface WebhookDelivery {
  source: FoundSource
  method: 'GET' | 'POST'
  headers: IncomingHttpHeaders
  query: Record<string, unknown>
  /** Inflated, otherwise as sent: signatures cover these bytes. */
  body: Buffer
  /** Epoch milliseconds. */
  receivedAt: number
}

export interface WebhookAnswer {
  status: number
  /** A text is sent as text/plain (Meta's challenge), anything else as JSON. */
  body: Json
}

/** As sent and after inflating; RudderStack's default limit. PostHog's clients halve their batch when they hear 413. */
export const BODY_BYTES_MAX = 4_000 * 1024
/** One more list entry costs little to send but a row to refuse: far beyond the limit of a batch the request is refused whole. */
const BATCH_ITEMS_MAX = 10_000
const RETRY_AFTER_SECONDS = 2

/** What came in before anything was parsed. */
export interface Arrived {
  headers: IncomingHttpHeaders
  query: unknown
  /** As sent; empty where there was no body. */
  body: Buffer
  /** Found by a key in a header or the query, before the body was read. */
  source?: FoundSource | undefined
}

/** Turns a body into calls; a fault where the body is not what its path says. */
export type Read = (body: Json) => Delivery | Fault

/** The parsed body, or undefined where it is none. Throws nothing. */
export type ReadText = (bytes: Buffer) => Json | undefined

/** Resolves once everything is stored. Throws `invalid_write_key`, `source_disabled`, `too_large`, `unavailable`, `overloaded`. */
export async function collect(
  options: CollectOptions,
  arrived: Arrived,
  read: Read,
  readText: ReadText = readJson,
): Promise<Outcome> {
  const plain = isDeflated(arrived.body, encodingOf(arrived)) ? await inflated(arrived) : arrived.body
  const body = plain === undefined ? undefined : readText(plain)
  const source = arrived.source && isDecided(arrived) ? arrived.source : await resolveSource(options, arrived, body)
  if (plain === undefined) return keepWhole(options, source, damaged, arrived.body)
  if (body === undefined) return keepWhole(options, source, notJson, plain)
  const delivery = read(body)
  return 'reason' in delivery
    ? keepWhole(options, source, delivery, plain)
    : storeDelivery(options, source, delivery, options.now())
}
const notJson: Fault = { reason: 'invalid_json', detail: 'The body is not JSON.' }
const damaged: Fault = { reason: 'invalid_json', detail: 'The compressed body is damaged.' }

/** Stores what was read already (a pixel has no body). */
export async function storeDelivery(
  options: CollectOptions,
  source: FoundSource,
  delivery: Delivery,
  receivedAt: number,
): Promise<Outcome> {
  if (delivery.calls.length > BATCH_ITEMS_MAX) {
    throw new Problem('too_large', `A batch may hold at most ${BATCH_ITEMS_MAX} items.`, { hint: 'Send it in parts.' })
  }
  const { submission, refused } = fillSubmission(delivery, {
    workspaceId: source.workspaceId,
    source: source.slug,
    receivedAt,
    newMessageId: options.newMessageId,
  })
  const acceptance = delivery.calls.length === 0 ? nothing : await options.accepter.accept(submission)
  return { delivery, acceptance, refused }
}
const nothing: Acceptance = { stored: 0, deduplicated: 0, rejected: 0 }

/** A body that is not even a list of events counts as one rejection, kept as it was sent. */
export async function keepWhole(
  options: CollectOptions,
  source: FoundSource,
  fault: Fault,
  payload: string | Buffer,
): Promise<Outcome> {
  const acceptance = await options.accepter.accept({
    workspaceId: source.workspaceId,
    source: source.slug,
    events: [],
    lines: [],
    rejections: [{ ...fault, payload }],
  })
  return { fault, acceptance }
}

const encodingOf = (arrived: Arrived) => arrived.headers['content-encoding']

/** The body as the client wrote it; undefined where it cannot be inflated. Throws `too_large`. */
export async function inflated(arrived: Arrived): Promise<Buffer | undefined> {
  const result = await inflate(arrived.body, encodingOf(arrived), BODY_BYTES_MAX)
  if ('bytes' in result) return result.bytes
  if (result.fault === 'too_large') throw bodyTooLarge()
  return undefined
}

/** `JSON.parse` that says no instead of throwing: broken JSON is an outcome here, not an exception. */
function readJson(bytes: Buffer): Json | undefined {
  try {
    return parseJson(bytes)
  } catch {
    return undefined
  }
}

export const bodyTooLarge = () =>
  new Problem('too_large', `A request may have ${BODY_BYTES_MAX} bytes, before and after inflating.`, {
    hint: 'Send it in parts.',
  })

/**
 * The source of a key that stands in the path, a header or the query; undefined when none does, and only the body can
 * tell. Asked before the body is read.
 */
export async function sourceBeforeBody(
  options: CollectOptions,
  request: { headers: IncomingHttpHeaders; query: unknown; params: unknown },
): Promise<FoundSource | undefined> {
  const key = keyInPath(request.params) ?? keyInHeaders(request.headers) ?? keyInQuery(request.query)
  return key === undefined ? undefined : enabledSource(options, key)
}

const keyInPath = (params: unknown): string | undefined =>
  isJsonObject(params) && typeof params.writeKey === 'string' ? params.writeKey : undefined

/** A key in the body outranks one in the query, but not one in a header. */
const isDecided = (arrived: Arrived) => keyInHeaders(arrived.headers) !== undefined

async function resolveSource(options: CollectOptions, arrived: Arrived, body: Json | undefined): Promise<FoundSource> {
  const key = body === undefined ? undefined : keyInBody(body)
  if (key !== undefined) return enabledSource(options, key)
  if (arrived.source) return arrived.source
  const bearer = keyInBearer(arrived.headers)
  if (bearer !== undefined) return enabledSource(options, bearer)
  throw new Problem('invalid_write_key', 'The request names no write key.', { hint: KEY_HINT })
}

/** Throws `invalid_write_key`, `source_disabled`, or `unavailable` where the look-up itself failed: never 401 for that. */
export async function enabledSource(options: CollectOptions, writeKey: string): Promise<FoundSource> {
  const source = await anySource(options, writeKey)
  if (!source.isEnabled) throw new Problem('source_disabled', 'The source of this write key is switched off.')
  return source
}

export async function anySource(options: CollectOptions, writeKey: string): Promise<FoundSource> {
  let source: Found
  try {
    source = await options.findSource(writeKey)
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('unavailable', 'The write key cannot be looked up just now.', {
      hint: 'Send the same request again.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      cause,
    })
  }
  if (!source) throw new Problem('invalid_write_key', 'No source has this write key.', { hint: KEY_HINT })
  return source
}
const KEY_HINT =
  'Send it as the user name of Basic authentication, as X-Write-Key, or as writeKey in the body or the address.'
