/**
 * What a webhook's mapping made of a delivery comes in; what shall be written, and what was refused and why, goes out. The
 * delivery is kept with what was refused, so that it can be mended and read again. Pure.
 */
import type { WebhookOutcome } from '../sources/index.ts'
import type { Json } from '../spec/json.ts'
import { REJECTED_PAYLOAD_BYTES_MAX, type Rejection } from '../spec/rejection.ts'
import type { Submission } from './commit.ts'
import { fillSubmission, type Receiving, type Refused } from './fill-submission.ts'
import { parseJson } from './json-text.ts'

/** Of one delivery's rejections so many hold all of it; those after them would only repeat it. */
const WHOLE_PAYLOADS_MAX = 20

export interface ReceivedDelivery {
  body: Buffer
  /** Those that the mapping reads, by name in lower case. */
  headers: Record<string, string>
}

export function submissionOfWebhook(
  outcome: WebhookOutcome,
  delivery: ReceivedDelivery,
  receiving: Receiving,
): { submission: Submission; refused: Refused[] } {
  // A vendor's JSON may hold what no store of ours can: NUL, halves of surrogate pairs, infinities.
  const events = parseJson(JSON.stringify(outcome.events)) as Json[]
  // Who the event belongs to is the mapping's to say, and so is that it may belong to nobody.
  const calls = events.map(value => ({ value, mayBeNobodys: true }))
  const filled = fillSubmission({ calls, isBatch: true }, receiving)
  // One byte above the limit says that it was cut, and no more of it is held while it waits to be stored.
  const payload = delivery.body.subarray(0, REJECTED_PAYLOAD_BYTES_MAX + 1)
  filled.submission.rejections.push(
    ...outcome.rejects.map(
      ({ reason, detail }, index): Rejection => ({
        reason,
        detail,
        deliveryHeaders: delivery.headers,
        ...(index < WHOLE_PAYLOADS_MAX ? { payload } : { payload: '', isCut: true }),
      }),
    ),
  )
  return filled
}
