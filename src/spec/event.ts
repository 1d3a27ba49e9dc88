import type { JsonObject } from './json.ts'

/** The six calls of the Segment spec. */
export const eventTypes = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const
export type EventType = (typeof eventTypes)[number]

/**
 * One event as it stands in the log: a line of JSON, the same for every source. Fields are spelled as in the Segment
 * spec; what a client sent beyond them is kept in `context` untouched.
 *
 * `timestamp` is the corrected event time and decides every order; `receivedAt` is ours; `originalTimestamp` and
 * `sentAt` are the client's own clock, kept as evidence. Instants are ISO-8601 UTC with milliseconds.
 *
 * An event without `userId`, `anonymousId` or any other identifier belongs to nobody (a store's return, a product's
 * price): only imports and webhooks may send one.
 */
export interface Event {
  messageId: string
  type: EventType
  /** Slug of the source, unique in its workspace. */
  source: string
  /** Name of a `track`; for `page` and `screen` see `name`. */
  event?: string
  name?: string
  category?: string
  userId?: string
  anonymousId?: string
  groupId?: string
  /** `alias` only: the identifier that `userId` was known by before. */
  previousId?: string
  properties?: JsonObject
  traits?: JsonObject
  context?: JsonObject
  integrations?: JsonObject
  timestamp: string
  originalTimestamp?: string
  sentAt?: string
  receivedAt: string
}

/**
 * What an operator decided about who is who. It stands in the log like any event, or a rebuild could not know it, but
 * nobody sent it: it is neither counted nor shown among events.
 */
export interface DecisionEntry {
  messageId: string
  type: 'decision'
  source: 'operator'
  timestamp: string
  receivedAt: string
  /** As `src/identity/decision.ts` describes it. */
  decision: JsonObject
}

export type LogEntry = Event | DecisionEntry

export const isEvent = (entry: LogEntry): entry is Event => entry.type !== 'decision'
