/** What a live view shows: events and rejections come in; which of them, and as what text, goes out. Pure. */
import type { Tick } from '../events/index.ts'
import type { Event } from '../spec/event.ts'

/** Where one is given, only such. Rejections have neither type nor event name: asked for either, there are none. */
export interface StreamFilter {
  source?: string | undefined
  type?: string | undefined
  event?: string | undefined
}

export function selectFrom(tick: Tick, filter: StreamFilter): Pick<Tick, 'events' | 'rejections'> {
  const isOfSource = ({ source }: { source: string }) => filter.source === undefined || source === filter.source
  const wantsRejections = filter.type === undefined && filter.event === undefined
  return {
    events: tick.events.filter(
      event =>
        isOfSource(event) &&
        (filter.type === undefined || event.type === filter.type) &&
        (filter.event === undefined || event.event === filter.event),
    ),
    rejections: wantsRejections ? tick.rejections.filter(isOfSource) : [],
  }
}

/** So many messages a listener gets in any second that begins with one. */
export const MESSAGES_PER_SECOND_MAX = 100
const SECOND_MS = 1000

/** Of how many are wanted, how many may be shown now. */
export function openGate(): (wanted: number, now: number) => number {
  let since = Number.NEGATIVE_INFINITY
  let shown = 0
  return (wanted, now) => {
    // A clock that was set back must not close the gate until it has caught up.
    if (now >= since + SECOND_MS || now < since) {
      since = now
      shown = 0
    }
    const allowed = Math.min(wanted, MESSAGES_PER_SECOND_MAX - shown)
    shown += allowed
    return allowed
  }
}

export const processedMessage = (event: Event, profileId: string | null): string =>
  message('processed', {
    messageId: event.messageId,
    type: event.type,
    event: event.event ?? null,
    name: event.name ?? null,
    source: event.source,
    userId: event.userId ?? null,
    anonymousId: event.anonymousId ?? null,
    groupId: event.groupId ?? null,
    timestamp: event.timestamp,
    originalTimestamp: event.originalTimestamp ?? null,
    receivedAt: event.receivedAt,
    profileId,
    properties: event.properties ?? {},
    traits: event.traits ?? {},
    context: event.context ?? {},
  })

export const rejectedMessage = ({ id, source, reason, detail, receivedAt }: Tick['rejections'][number]): string =>
  message('rejected', { id: String(id), source, reason, detail, receivedAt: receivedAt.toISOString() })

export const skippedMessage = (count: number): string => message('skipped', { count })

/** JSON has no line breaks of its own, so one line of data is enough. */
const message = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
