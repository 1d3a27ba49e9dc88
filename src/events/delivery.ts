/** What one request delivered, in the words of the Segment spec, whichever client sent it. Types only. */
import type { EventType } from '../spec/event.ts'
import type { Json } from '../spec/json.ts'
import type { RejectionReason } from '../spec/rejection.ts'

/** More events than these in a batch are rejected, each for itself, though the answer is 200: Segment's limit and manner. */
export const BATCH_EVENTS_MAX = 2_500

export interface Call {
  /** Whatever JSON held: checked by `parseCall`. */
  value: unknown
  /** Said by the path; outranks the body's own. */
  type?: EventType
  /** This call may go without an identifier (PostHog's groups, which belong to nobody). */
  mayBeNobodys?: boolean
  /** The client asks not to have its clock corrected. */
  isClockTrusted?: boolean
}

export interface Delivery {
  calls: Call[]
  /** A batch is answered 200 with what was rejected; a single call that is rejected 400. */
  isBatch: boolean
  /** Of the batch: hold for each of its events. */
  sentAt?: unknown
  context?: Json
  integrations?: Json
}

/** The whole body cannot be read as what its path says. */
export interface Fault {
  reason: RejectionReason
  detail: string
}
