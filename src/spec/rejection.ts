/** Why an event was not stored: a closed list, so that every reason can be counted, shown and tested. */
export const rejectionReasons = {
  invalid_json: 'The body is not JSON.',
  not_an_object: 'An event must be a JSON object.',
  unknown_type: 'The type must be track, identify, page, screen, group or alias.',
  missing_identifier: 'An event needs a userId or an anonymousId.',
  missing_event: 'A track call needs the name of its event.',
  missing_group_id: 'A group call needs a groupId.',
  missing_previous_id: 'An alias call needs a previousId and a userId.',
  invalid_field: 'A field has a type that its name does not allow.',
  id_too_long: 'An id is longer than its limit.',
  event_too_large: 'The event is larger than the limit.',
  too_many_properties: 'The event has more keys than the limit.',
  too_deep: 'The event is nested deeper than the limit.',
  batch_overflow: 'The batch holds more events than the limit.',
  invalid_row: 'The row does not fit the mapping.',
  invalid_webhook: 'The delivery does not fit the mapping.',
  processing_failed: 'The event could not be processed.',
} as const
export type RejectionReason = keyof typeof rejectionReasons

/** So much is kept of what was sent. */
export const REJECTED_PAYLOAD_BYTES_MAX = 64 * 1024

/** An event that was refused, with what was sent, so that it can be seen, mended and sent again. */
export interface Rejection {
  reason: RejectionReason
  /** What exactly: names fields and limits, never quotes a value. */
  detail: string
  /** As it was sent. */
  payload: string | Buffer
  /** The payload is a delivery to a webhook, not one event; with it the headers that its mapping reads, in lower case. */
  deliveryHeaders?: Record<string, string>
  /** The payload is not all that was sent. */
  isCut?: boolean
}
