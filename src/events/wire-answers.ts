/** What became of a request comes in; the body that its client understands goes out. Pure. */
import { Problem } from '../errors.ts'
import { type ProblemBody, problemBody } from '../http/problem.ts'
import type { RejectionReason } from '../spec/rejection.ts'
import type { Acceptance } from './commit.ts'
import type { Delivery, Fault } from './delivery.ts'
import type { Refused } from './fill-submission.ts'
import { posthogResults } from './wire-posthog.ts'

export type Outcome =
  | { delivery: Delivery; acceptance: Acceptance; refused: Refused[] }
  | { fault: Fault; acceptance: Acceptance }

/** More are counted but not listed; all of them are kept and can be seen. */
const REFUSED_LISTED_MAX = 100

/** Segment's own answer; a constant, as nearly every answer is this one. */
export const SUCCESS = '{"success":true}'
/** The smallest GIF that every mail program shows: one transparent pixel. */
export const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

/** A single event, or a whole body, that was refused: 400 with the reason. Undefined where the answer is 200. */
export function refusalOf(outcome: Outcome): (ProblemBody & { success: false; reason: RejectionReason }) | undefined {
  const fault = 'fault' in outcome ? outcome.fault : outcome.delivery.isBatch ? undefined : outcome.refused[0]
  if (fault === undefined) return undefined
  const code = fault.reason === 'invalid_json' ? 'invalid_json' : 'invalid_request'
  const problem = new Problem(code, fault.detail, {
    hint: 'The event is kept among the rejected ones of its source, where it can be mended and sent again.',
  })
  return { success: false, reason: fault.reason, ...problemBody(problem) }
}

export function segmentAnswer(outcome: Outcome): string {
  return isPlain(outcome) ? SUCCESS : JSON.stringify({ success: true, ...counts(outcome) })
}

export function posthogAnswer(outcome: Outcome): string {
  return isPlain(outcome) ? '{"status":1}' : JSON.stringify({ status: 1, ...counts(outcome) })
}

/** `/i/v1/analytics/events`: each event by its uuid, and the counts beside. */
export function posthogEventAnswer(outcome: Outcome): string {
  if ('fault' in outcome) return '{"results":{}}'
  const refused = new Map(outcome.refused.map(({ index, detail }) => [index, detail]))
  return JSON.stringify(posthogResults(outcome.delivery.calls, refused))
}

const isPlain = (outcome: Outcome) => 'delivery' in outcome && !outcome.delivery.isBatch

function counts(outcome: Outcome) {
  const { stored, deduplicated, rejected } = outcome.acceptance
  const refused = 'refused' in outcome ? outcome.refused : []
  return {
    stored,
    deduplicated,
    rejected,
    ...(refused.length > 0 ? { rejections: refused.slice(0, REFUSED_LISTED_MAX) } : {}),
  }
}
