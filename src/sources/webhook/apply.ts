/**
 * Applies a webhook mapping: a mapping and one delivery come in; its events, or why there are none, go out. Never throws,
 * whatever the JSON. The same delivery gives the same events with the same messageIds, so a vendor's retry is dropped as
 * a duplicate.
 */
import type { Json } from '../../spec/json.ts'
import { type RejectionReason, rejectionReasons } from '../../spec/rejection.ts'
import { conditionHolds, type Work } from './condition.ts'
import { bodyDepthMax, eventsPerDeliveryMax, workMax } from './limits.ts'
import { type DeliveryId, type EventFault, makeEvent, readId, type WebhookEvent } from './make-event.ts'
import { isDeeperThan, type WebhookMapping, type WebhookRule } from './mapping.ts'
import { hashJson } from './message-id.ts'
import { type Element, parsePath, readElements, type Scope } from './path.ts'
import type { ValueFault } from './template.ts'

export interface WebhookDelivery {
  body: Json
  /** Names in any case. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** ISO-8601 UTC. */
  receivedAt: string
  /** Slug of the source: part of every messageId. */
  source: string
}

/** `invalid_webhook`: a value could not be read, or the delivery asks for more work than one may. */
export type WebhookRejectReason =
  | EventFault
  | Extract<RejectionReason, 'batch_overflow' | 'too_deep' | 'too_many_properties' | 'invalid_json'>

/** Why an event, or the entire delivery, was not taken. */
export interface WebhookReject {
  reason: WebhookRejectReason
  /** Which rule, and which element of its `each`; neither for the delivery as a whole. */
  rule?: string
  item?: number
  /** One sentence: names rules, fields and limits, never quotes a value. */
  detail: string
  faults: ValueFault[]
}

/** Why a delivery stands for no event, without anything being wrong with it. */
export type WebhookIgnored = 'no_rule_matched'

export interface WebhookOutcome {
  events: WebhookEvent[]
  rejects: WebhookReject[]
  /** Set only when there are neither events nor rejects. */
  ignored?: WebhookIgnored
}

export function applyWebhookMapping(mapping: WebhookMapping, delivery: WebhookDelivery): WebhookOutcome {
  if (isDeeperThan(delivery.body, bodyDepthMax)) return { events: [], rejects: [rejectOf('too_deep', tooDeep)] }
  const { receivedAt, source } = delivery
  const scope: Scope = { body: delivery.body, headers: lowerCased(delivery.headers) }
  const work: Work = { left: workMax }
  const shared = { receivedAt, source, work, delivery: identifyDelivery(mapping, scope, work) }

  const events: WebhookEvent[] = []
  const rejects: WebhookReject[] = []
  for (const rule of mapping.rules) {
    const { elements, cut } = elementsOf(rule, scope)
    for (const [item, element] of elements.entries()) {
      const here = { ...scope, ...element }
      if (rule.when && !conditionHolds(rule.when, here, work)) continue
      const made = makeEvent(rule, { ...shared, scope: here, item })
      if (work.left <= 0) break
      if (events.length >= eventsPerDeliveryMax) {
        return { events, rejects: [...rejects, rejectOf('batch_overflow', tooMany, { rule, item })] }
      }
      if ('event' in made) events.push(made.event)
      else rejects.push(rejectOfEvent(made.fault, { rule, item, faults: made.valueFaults }))
    }
    if (work.left <= 0) return { events, rejects: [...rejects, rejectOf('invalid_webhook', tooMuch, { rule })] }
    if (cut) rejects.push(rejectOf('batch_overflow', tooMany, { rule }))
  }
  return events.length + rejects.length > 0 ? { events, rejects } : { events, rejects, ignored: 'no_rule_matched' }
}

function identifyDelivery(mapping: WebhookMapping, scope: Scope, work: Work): DeliveryId {
  const vendorId = readId(mapping.deliveryId, { scope, faults: [], work }, 'deliveryId')
  return vendorId === undefined ? { bodyHash: hashJson(scope.body) } : { vendorId }
}

/** What the rule makes events of: its list's elements, or the delivery once. */
function elementsOf(rule: WebhookRule, scope: Scope): { elements: Partial<Element>[]; cut: boolean } {
  const parsed = rule.each === undefined ? undefined : parsePath(rule.each)
  if (!parsed) return { elements: [{}], cut: false }
  return parsed.ok ? readElements(parsed.path, scope) : { elements: [], cut: false }
}

function lowerCased(headers: WebhookDelivery['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}

const tooDeep = `The body is nested deeper than ${bodyDepthMax} levels.`
const tooMany = `A delivery may hold ${eventsPerDeliveryMax} events; those beyond were not taken.`
const tooMuch = 'The delivery is too large for this mapping; what came after this point was not taken.'

interface Place {
  rule: WebhookRule
  item?: number
  faults?: ValueFault[]
}

function rejectOfEvent(reason: EventFault, place: Place): WebhookReject {
  const [fault] = place.faults ?? []
  const found = fault && `${fault.at}${fault.path ? ` (${fault.path})` : ''} ${fault.message}.`
  return rejectOf(reason, `Rule ${place.rule.name}: ${found ?? rejectionReasons[reason]}`, place)
}

function rejectOf(reason: WebhookRejectReason, detail: string, place?: Place): WebhookReject {
  const where = place && { rule: place.rule.name, ...(place.item !== undefined && { item: place.item }) }
  return { reason, ...where, detail, faults: place?.faults ?? [] }
}
