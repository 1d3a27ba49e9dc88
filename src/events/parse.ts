/** One call as a client sent it comes in; an event as the log keeps it, or a rejection with its reason, goes out. Pure. */
import { type Event, type EventType, eventTypes } from '../spec/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import type { RejectionReason } from '../spec/rejection.ts'
import { correctTime } from './time.ts'

/** What is known about a call apart from its body. */
export interface Arrival {
  source: string
  /** Epoch milliseconds. */
  receivedAt: number
  /** The same in ISO-8601, where many calls share it: writing an instant costs as much as parsing a small event. */
  receivedAtText?: string
  /** Type said by the path; the body's own `type` is used without it. */
  type?: EventType
  /** Of the batch that the call came in. */
  sentAt?: unknown
  /** A batch's own context and integrations hold for each of its events. */
  context?: Json
  integrations?: Json
  /** Imports and webhooks may say that an event belongs to nobody. */
  mayBeNobodys?: boolean
  /** Given where the client sent no messageId. */
  newMessageId(): string
}

export type Parsed = { event: Event } | { reason: RejectionReason; detail: string }

const MESSAGE_ID_CHARACTERS_MAX = 100
const ID_CHARACTERS_MAX = 500
const NAME_CHARACTERS_MAX = 500
const KEYS_MAX = 10_000
const DEPTH_MAX = 32
/** Longer texts are no instants; they are not kept as evidence of a clock. */
const INSTANT_CHARACTERS_MAX = 64

/** Parses one call. Never throws; `value` is whatever JSON held. */
export function parseCall(value: unknown, arrival: Arrival): Parsed {
  if (!isJsonObject(value)) return { reason: 'not_an_object', detail: 'The event is not a JSON object.' }
  const size = measure(value)
  if (size.depth > DEPTH_MAX)
    return { reason: 'too_deep', detail: `The event is nested deeper than ${DEPTH_MAX} levels.` }
  if (size.keys > KEYS_MAX)
    return { reason: 'too_many_properties', detail: `The event has more than ${KEYS_MAX} keys.` }
  const type = arrival.type ?? readType(value.type)
  if (!type) return { reason: 'unknown_type', detail: `type is not one of ${eventTypes.join(', ')}.` }

  const ids = readIds(value)
  if ('reason' in ids) return ids
  const objects = readObjects(type, value, arrival)
  if ('reason' in objects) return objects
  const missing = findMissing(type, value, ids, arrival)
  if (missing) return missing
  const event = assemble(type, value, ids, objects, arrival)
  // What goes on in memory must be what the log holds: JSON has neither infinity (1e999) nor minus zero.
  return { event: size.hasOddNumbers ? (JSON.parse(JSON.stringify(event)) as Event) : event }
}

function readType(value: unknown): EventType | undefined {
  const name = typeof value === 'string' ? value.toLowerCase() : ''
  return (eventTypes as readonly string[]).includes(name) ? (name as EventType) : undefined
}

const idFields = ['messageId', 'userId', 'anonymousId', 'groupId', 'previousId'] as const
type Ids = Partial<Record<(typeof idFields)[number], string>>

/** Ids are texts; numbers are taken as their digits. An empty id is none. */
function readIds(value: JsonObject): Ids | { reason: RejectionReason; detail: string } {
  const ids: Ids = {}
  for (const field of idFields) {
    const raw = value[field]
    if (raw === undefined || raw === null || raw === '') continue
    if (typeof raw !== 'string' && typeof raw !== 'number') {
      return { reason: 'invalid_field', detail: `${field} must be a text.` }
    }
    if (typeof raw === 'number' && !isExact(raw)) {
      return { reason: 'invalid_field', detail: `${field} is a number too large to be exact; send it as a text.` }
    }
    const id = String(raw)
    const max = field === 'messageId' ? MESSAGE_ID_CHARACTERS_MAX : ID_CHARACTERS_MAX
    if (id.length > max) return { reason: 'id_too_long', detail: `${field} is longer than ${max} characters.` }
    ids[field] = id
  }
  return ids
}

/** Beyond 2^53 two different ids would be read as the same number, and two people become one. */
const isExact = (id: number) => Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER

const objectFields = ['properties', 'traits', 'context', 'integrations'] as const
type Objects = Partial<Record<(typeof objectFields)[number], JsonObject>>

function readObjects(
  type: EventType,
  value: JsonObject,
  arrival: Arrival,
): Objects | { reason: RejectionReason; detail: string } {
  const objects: Objects = {}
  for (const field of objectFields) {
    const raw = value[field]
    if (raw === undefined || raw === null) continue
    if (!isJsonObject(raw)) return { reason: 'invalid_field', detail: `${field} must be an object.` }
    objects[field] = raw
  }
  if (isJsonObject(arrival.context)) objects.context = { ...arrival.context, ...objects.context }
  if (isJsonObject(arrival.integrations)) objects.integrations = { ...arrival.integrations, ...objects.integrations }
  const { context } = objects
  // RudderStack's browsers say in `context.traits` what an identify is about.
  if (type === 'identify' && !objects.traits && isJsonObject(context?.traits)) objects.traits = context.traits
  // RudderStack's clients say beside the context where they run.
  if (typeof value.channel === 'string' && context?.channel === undefined) {
    objects.context = { ...context, channel: cut(value.channel) }
  }
  return objects
}

function findMissing(type: EventType, value: JsonObject, ids: Ids, arrival: Arrival): Parsed | undefined {
  if (type === 'track') {
    if (typeof value.event !== 'string' || value.event === '') {
      return { reason: 'missing_event', detail: 'event must be a text that is not empty.' }
    }
    if (value.event.length > NAME_CHARACTERS_MAX) {
      return { reason: 'id_too_long', detail: `event is longer than ${NAME_CHARACTERS_MAX} characters.` }
    }
  }
  if (type === 'group' && !ids.groupId) return { reason: 'missing_group_id', detail: 'groupId is missing.' }
  if (type === 'alias' && !(ids.previousId && ids.userId)) {
    return { reason: 'missing_previous_id', detail: 'alias needs both previousId and userId.' }
  }
  if (!ids.userId && !ids.anonymousId && !arrival.mayBeNobodys) {
    return { reason: 'missing_identifier', detail: 'Neither userId nor anonymousId is given.' }
  }
  return undefined
}

function assemble(type: EventType, value: JsonObject, ids: Ids, objects: Objects, arrival: Arrival): Event {
  const context = objects.context
  const timestamp = correctTime(
    {
      timestamp: value.timestamp,
      originalTimestamp: value.originalTimestamp,
      sentAt: [value.sentAt, arrival.sentAt],
      isServer: isServerLibrary(context),
    },
    arrival.receivedAt,
  )
  const event: Event = {
    messageId: ids.messageId ?? arrival.newMessageId(),
    type,
    source: arrival.source,
    timestamp: new Date(timestamp).toISOString(),
    receivedAt: arrival.receivedAtText ?? new Date(arrival.receivedAt).toISOString(),
  }
  if (type === 'track') event.event = value.event as string
  for (const field of ['name', 'category'] as const) {
    const text = value[field]
    if (typeof text === 'string' && text !== '') event[field] = cut(text)
  }
  for (const field of ['userId', 'anonymousId', 'groupId', 'previousId'] as const)
    if (ids[field]) event[field] = ids[field]
  for (const field of objectFields) if (objects[field]) event[field] = objects[field]
  const original = value.originalTimestamp ?? value.timestamp
  if (isInstantText(original)) event.originalTimestamp = original
  const sentAt = value.sentAt ?? arrival.sentAt
  if (isInstantText(sentAt)) event.sentAt = sentAt
  return event
}

/** The limit may fall between the two halves of a character. */
const cut = (text: string) =>
  text.length > NAME_CHARACTERS_MAX ? text.slice(0, NAME_CHARACTERS_MAX).toWellFormed() : text

const isInstantText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= INSTANT_CHARACTERS_MAX

/** Names of libraries that run on servers, as they name themselves in `context.library.name`. */
const SERVER_LIBRARY = /node|python|ruby|java(?!script)|golang|[-_]go$|php|\.net|csharp|rust|elixir|http/i

function isServerLibrary(context: JsonObject | undefined): boolean {
  const library = context?.library
  return isJsonObject(library) && typeof library.name === 'string' && SERVER_LIBRARY.test(library.name)
}

/** Counts keys and levels, stopping where either limit is passed, so that a bomb costs no more than a large event. */
function measure(value: JsonObject): { keys: number; depth: number; hasOddNumbers: boolean } {
  const size = { keys: 0, depth: 1, hasOddNumbers: false }
  visit(value, 1, size)
  return size
}

function visit(item: Json | undefined, depth: number, size: ReturnType<typeof measure>): void {
  if (typeof item === 'number') {
    if (!Number.isFinite(item) || Object.is(item, -0)) size.hasOddNumbers = true
    return
  }
  if (typeof item !== 'object' || item === null) return
  if (depth > size.depth) size.depth = depth
  if (depth > DEPTH_MAX || size.keys > KEYS_MAX) return
  if (Array.isArray(item)) {
    size.keys += item.length
    if (size.keys <= KEYS_MAX) for (const element of item) visit(element, depth + 1, size)
    return
  }
  for (const key in item) {
    size.keys += 1
    if (size.keys > KEYS_MAX) return
    visit(item[key], depth + 1, size)
  }
}
