/** Jitsu's `/api/s/{type}` and `/api/s/s2s/{type}`. In: a parsed body. Out: one call in Segment's words. Pure. */
import { type EventType, eventTypes } from '../spec/event.ts'
import { isJsonObject, type Json } from '../spec/json.ts'
import type { Delivery } from './delivery.ts'

/**
 * One event a request. The path names its type; Jitsu's `event` means whatever the body says. The name of a page stands
 * only in its properties.
 */
export function readJitsu(body: Json, pathType: string): Delivery {
  const type = (eventTypes as readonly string[]).includes(pathType) ? (pathType as EventType) : undefined
  const call = { value: withPageName(body), ...(type === undefined ? {} : { type }) }
  return { calls: [call], isBatch: false }
}

function withPageName(body: Json): Json {
  if (!isJsonObject(body) || body.name !== undefined || !isJsonObject(body.properties)) return body
  if (body.type !== 'page' && body.type !== 'screen') return body
  return typeof body.properties.name === 'string' ? { ...body, name: body.properties.name } : body
}
