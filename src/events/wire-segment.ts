/** Segment's HTTP tracking API and browser settings. In: parsed bodies. Out: calls, and answers for its clients. Pure. */
import type { EventType } from '../spec/event.ts'
import { isJsonObject, type Json } from '../spec/json.ts'
import type { Delivery, Fault } from './delivery.ts'
import { parseJson } from './json-text.ts'

/** The last part of `/v1/…`: Segment's servers are called by the word, its browsers by the first letter. */
export const segmentPaths: Readonly<Record<string, EventType>> = {
  track: 'track',
  identify: 'identify',
  page: 'page',
  screen: 'screen',
  group: 'group',
  alias: 'alias',
  t: 'track',
  i: 'identify',
  p: 'page',
  s: 'screen',
  g: 'group',
  a: 'alias',
}

export const readSingle = (body: Json, type: EventType): Delivery => ({
  calls: [{ value: body, type }],
  isBatch: false,
})

/** `{batch: […], sentAt, context, integrations}`; a bare list is taken too. */
export function readBatch(body: Json): Delivery | Fault {
  const items = Array.isArray(body) ? body : isJsonObject(body) ? body.batch : undefined
  if (!Array.isArray(items)) {
    return { reason: 'invalid_field', detail: 'batch must be a list of events.' }
  }
  const delivery: Delivery = { calls: items.map(value => ({ value })), isBatch: true }
  if (isJsonObject(body)) {
    delivery.sentAt = body.sentAt
    if (body.context !== undefined) delivery.context = body.context
    if (body.integrations !== undefined) delivery.integrations = body.integrations
  }
  return delivery
}

/** `?data=` of a pixel: base64 (either alphabet; a `+` that the query turned into a space is put back) of one call. */
export function readPixelData(query: unknown): { text: string; value: Json } | { text: string; fault: Fault } {
  const data = isJsonObject(query) ? query.data : undefined
  if (typeof data !== 'string' || data === '') {
    return { text: '', fault: { reason: 'invalid_json', detail: 'data is missing in the address.' } }
  }
  const bytes = Buffer.from(data.replaceAll(' ', '+'), 'base64')
  try {
    return { text: data, value: parseJson(bytes) }
  } catch {
    return { text: data, fault: { reason: 'invalid_json', detail: 'data is not base64 of JSON.' } }
  }
}

/**
 * What analytics-next asks before it starts. `origin` is where the page shall send to. Any other entry in `integrations`
 * would make it load Segment's own scripts; metrics about the client itself are switched off.
 */
export function segmentSettings(writeKey: string, origin: string): Json {
  const { host, protocol } = new URL(origin)
  const enabled = { __default: { enabled: true } }
  return {
    integrations: {
      'Segment.io': {
        apiKey: writeKey,
        apiHost: `${host}/v1`,
        protocol: protocol.replace(':', ''),
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    },
    plan: { track: enabled, identify: enabled, group: enabled },
    metrics: { sampleRate: 0 },
    analyticsNextEnabled: true,
  }
}
