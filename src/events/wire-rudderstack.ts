/** RudderStack's peculiarities. In: query of a pixel, a source. Out: a call, and what its browser SDK asks before it starts. Pure. */
import type { EventType } from '../spec/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import type { Delivery } from './delivery.ts'

export interface SourceSummary {
  workspaceId: number
  slug: string
  isEnabled: boolean
}

/** `enabled: false` makes the SDK stop by itself. There are no device-mode destinations and no statistics about itself. */
export function sourceConfig(source: SourceSummary, writeKey: string): Json {
  const off = { enabled: false }
  return {
    source: {
      id: source.slug,
      name: source.slug,
      writeKey,
      enabled: source.isEnabled,
      workspaceId: String(source.workspaceId),
      updatedAt: '1970-01-01T00:00:00.000Z',
      config: { statsCollection: { errors: off, metrics: off } },
      destinations: [],
    },
  }
}

const PIXEL_FIELDS_MAX = 200
const PIXEL_DEPTH_MAX = 8

/**
 * `GET /pixel/v1/track?event=Opened&userId=7&properties.campaign=spring`: a dot in a name makes an object. Values stay texts.
 * A page without a name is RudderStack's "Unknown Page".
 */
export function readRudderPixel(query: unknown, type: EventType): Delivery {
  const call: JsonObject = Object.create(null)
  const entries = isJsonObject(query) ? Object.entries(query).slice(0, PIXEL_FIELDS_MAX) : []
  for (const [name, value] of entries) {
    if (name === 'writeKey') continue
    place(call, name.split('.'), Array.isArray(value) ? (value[0] ?? null) : (value ?? null))
  }
  if (type === 'page' && call.name === undefined) call.name = 'Unknown Page'
  return { calls: [{ value: JSON.parse(JSON.stringify(call)), type }], isBatch: false }
}

/** Objects without a prototype while they grow, so that a part named `__proto__` is a name like any other. */
function place(target: JsonObject, path: string[], value: Json): void {
  if (path.length > PIXEL_DEPTH_MAX) return
  let here = target
  for (const part of path.slice(0, -1)) {
    const next = here[part]
    const child: JsonObject = isJsonObject(next) ? next : Object.create(null)
    here[part] = child
    here = child
  }
  here[path.at(-1) as string] = value
}
