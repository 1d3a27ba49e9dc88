/** Calls of one request come in; what shall be written, and what was refused and why, goes out. Pure. */
import { isJsonObject } from '../spec/json.ts'
import type { Rejection, RejectionReason } from '../spec/rejection.ts'
import type { Submission } from './commit.ts'
import { BATCH_EVENTS_MAX, type Call, type Delivery } from './delivery.ts'
import { stringifyAny } from './json-text.ts'
import { encodeLine } from './log-group.ts'
import { type Arrival, type Parsed, parseCall } from './parse.ts'

/** PostHog's limit; Segment's clients stop at 32 KB, but RudderStack's only warn there. */
export const EVENT_BYTES_MAX = 1024 * 1024

export interface Refused {
  index: number
  reason: RejectionReason
  detail: string
}

export interface Receiving {
  workspaceId: number
  source: string
  /** Epoch milliseconds. */
  receivedAt: number
  newMessageId(): string
}

/** Nothing is lost: every call ends in `events` (with its line of the log) or in `rejections`. */
export function fillSubmission(
  delivery: Delivery,
  receiving: Receiving,
): { submission: Submission; refused: Refused[] } {
  const { workspaceId, source } = receiving
  const submission: Submission = { workspaceId, source, events: [], lines: [], rejections: [] }
  const refused: Refused[] = []
  const arrival = arrivalOf(delivery, receiving)
  delivery.calls.forEach((call, index) => {
    const own = hasOwnTerms(call) ? withTerms(arrival, call) : arrival
    const parsed: Parsed = index < BATCH_EVENTS_MAX ? parseCall(call.value, own) : overflow
    const line = 'event' in parsed ? encodeLine(parsed.event) : ''
    const fault = 'reason' in parsed ? parsed : isTooLarge(line) ? tooLarge : undefined
    if (fault) {
      refused.push({ index, ...fault })
      submission.rejections.push({ ...fault, payload: payloadOf(call, delivery) })
    } else if ('event' in parsed) {
      submission.events.push(parsed.event)
      submission.lines.push(line)
    }
  })
  return { submission, refused }
}

const overflow = {
  reason: 'batch_overflow',
  detail: `A batch may hold ${BATCH_EVENTS_MAX} events.`,
} as const satisfies Omit<Rejection, 'payload'>
const tooLarge = {
  reason: 'event_too_large',
  detail: `An event may have ${EVENT_BYTES_MAX} bytes.`,
} as const satisfies Omit<Rejection, 'payload'>

/** A character is at most three bytes: only texts near the limit are measured. */
const isTooLarge = (line: string) => line.length * 3 > EVENT_BYTES_MAX && Buffer.byteLength(line) > EVENT_BYTES_MAX

function arrivalOf(delivery: Delivery, receiving: Receiving): Arrival {
  const arrival: Arrival = {
    source: receiving.source,
    receivedAt: receiving.receivedAt,
    receivedAtText: new Date(receiving.receivedAt).toISOString(),
    sentAt: delivery.sentAt,
    newMessageId: receiving.newMessageId,
  }
  if (delivery.context !== undefined) arrival.context = delivery.context
  if (delivery.integrations !== undefined) arrival.integrations = delivery.integrations
  return arrival
}

const hasOwnTerms = (call: Call) =>
  call.type !== undefined || call.mayBeNobodys !== undefined || call.isClockTrusted !== undefined

function withTerms(arrival: Arrival, call: Call): Arrival {
  const own = { ...arrival }
  if (call.type !== undefined) own.type = call.type
  if (call.mayBeNobodys) own.mayBeNobodys = true
  if (call.isClockTrusted) own.sentAt = undefined
  return own
}

/** As sent, and with what else it takes to send it again by itself: the type that its path said and its batch's sentAt. */
function payloadOf(call: Call, delivery: Delivery): string {
  const { value, type } = call
  if (!isJsonObject(value)) return stringifyAny(value)
  const added = {
    ...(type !== undefined && value.type === undefined ? { type } : {}),
    ...(delivery.sentAt !== undefined && value.sentAt === undefined && !call.isClockTrusted
      ? { sentAt: delivery.sentAt }
      : {}),
  }
  return stringifyAny({ ...added, ...value })
}
