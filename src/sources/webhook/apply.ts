/**
 * Applies a webhook mapping: a mapping and one delivery come in; its events, or why there are none, go out. Never throws,
 * whatever the JSON. The same delivery gives the same events with the same messageIds, so a vendor's retry is dropped as
 * a duplicate.
 */
import type { Json } from '../../spec/json.ts'
import { conditionHolds, type Work } from './condition.ts'
import { bodyDepthMax, eventsPerDeliveryMax, workMax } from './limits.ts'
import { type DeliveryId, type EventFault, eventFaults, makeEvent, readId, type WebhookEvent } from './make-event.ts'
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

export type WebhookRejectReason = EventFault | 'too_many_events' | 'too_much_work' | 'too_deep'

/** Why an event, or the entire delivery, was not taken. */
export interface WebhookReject {
  reason: WebhookRejectReason
  /** Which rule, and which element of its `each`; neither for the delivery as a whole. */
  rule?: string
  item?: number
  message: string
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
  if (isDeeperThan(delivery.body, bodyDepthMax)) return { events: [], rejects: [rejectOf('too_deep')] }
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
      const limit =
        work.left <= 0 ? 'too_much_work' : events.length >= eventsPerDeliveryMax ? 'too_many_events' : undefined
      if (limit) return { events, rejects: [...rejects, rejectOf(limit, { rule, item })] }
      if ('event' in made) events.push(made.event)
      else rejects.push(rejectOf(made.fault, { rule, item, faults: made.valueFaults }))
    }
    if (work.left <= 0) return { events, rejects: [...rejects, rejectOf('too_much_work', { rule })] }
    if (cut) rejects.push(rejectOf('too_many_events', { rule }))
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

const rejectMessages: Readonly<Record<WebhookRejectReason, string>> = {
  ...eventFaults,
  too_many_events: `A delivery may hold ${eventsPerDeliveryMax} events; those beyond were not taken.`,
  too_much_work: 'The delivery is too large for this mapping; what came after this point was not taken.',
  too_deep: `The body is nested deeper than ${bodyDepthMax} levels.`,
}

function rejectOf(
  reason: WebhookRejectReason,
  place: { rule?: WebhookRule; item?: number; faults?: ValueFault[] } = {},
): WebhookReject {
  const { rule, item, faults = [] } = place
  const where = { ...(rule && { rule: rule.name }), ...(item !== undefined && { item }) }
  return { reason, ...where, message: rejectMessages[reason], faults }
}
