/** Makes one event of a rule: a rule and what it can see come in, the event or the reason against it goes out. */
import type { Event } from '../../spec/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../../spec/json.ts'
import type { RejectionReason } from '../../spec/rejection.ts'
import type { Work } from './condition.ts'
import { parseInstant } from './instant.ts'
import type { EventTemplate, Template, WebhookRule } from './mapping.ts'
import { messageIdOf } from './message-id.ts'
import type { Scope } from './path.ts'
import { evaluate, evaluateObject, isNothing, type Reading, type ValueFault } from './template.ts'

/** An event as a mapping makes it; the collector adds `source` and `receivedAt`. */
export type WebhookEvent = Omit<Event, 'source' | 'receivedAt'>

/** The element of a delivery that an event is made of, and what it shares with the delivery's other events. */
export interface EventMaterial {
  scope: Scope
  /** Place among the elements of the rule's `each`. */
  item: number
  source: string
  receivedAt: string
  delivery: DeliveryId
  work: Work
}

/** What tells a delivery from others: the vendor's id of it or, without one, its content. */
export type DeliveryId = { vendorId: Json } | { bodyHash: string }

/** Why a rule that applies gives no event. */
export type EventFault = Extract<
  RejectionReason,
  'invalid_webhook' | 'missing_event' | 'missing_group_id' | 'missing_previous_id' | 'missing_identifier'
>

export type MadeEvent = { event: WebhookEvent } | { fault: EventFault; valueFaults: ValueFault[] }

/** Value faults never quote a value: it may be personal. */
export function makeEvent(rule: WebhookRule, material: EventMaterial): MadeEvent {
  const reading: Reading = { scope: material.scope, faults: [], work: material.work }
  const event = withoutUndefined({
    messageId: readMessageId(rule, material, reading),
    type: rule.event.type,
    ...readTextFields(rule.event, reading),
    traits: readObject(rule.event.traits, reading, 'event.traits'),
    properties: readObject(rule.event.properties, reading, 'event.properties'),
    context: readContext(rule, material, reading),
    timestamp: readTimestamp(rule.event.timestamp, reading) ?? material.receivedAt,
  })
  const fault = reading.faults.length > 0 ? 'invalid_webhook' : missingPart(event, rule)
  return fault ? { fault, valueFaults: reading.faults } : { event }
}

/** Reads an id. A list is one id of several parts, and no id unless all are there: one part alone stands for many events. */
export function readId(template: Template | undefined, reading: Reading, at: string): Json | undefined {
  if (template === undefined) return undefined
  const parts = (Array.isArray(template) ? template : [template]).map(part => evaluate(part, reading, at))
  if (parts.some(isNothing)) return undefined
  return parts.length === 1 ? parts[0] : (parts as Json[])
}

/** From the event's own id if the rule names one, else from the delivery's and the place in it. */
function readMessageId(rule: WebhookRule, material: EventMaterial, reading: Reading): string {
  const own = readId(rule.event.messageId, reading, 'event.messageId')
  const { source, delivery, item } = material
  return messageIdOf([source, rule.name, ...(own === undefined ? [delivery, item] : [own])])
}

function missingPart(event: WebhookEvent, rule: WebhookRule): EventFault | undefined {
  if (event.type === 'track' && !event.event) return 'missing_event'
  if (event.type === 'group' && !event.groupId) return 'missing_group_id'
  if (event.type === 'alias' && !(event.userId && event.previousId)) return 'missing_previous_id'
  return rule.identity === 'none' || hasIdentifier(event) ? undefined : 'missing_identifier'
}

/** Whether the event names anybody. A group's traits are the company's: its e-mail address is nobody's. */
function hasIdentifier(event: WebhookEvent): boolean {
  if (event.userId || event.anonymousId || event.context?.externalIds) return true
  const places = [event.type === 'group' ? undefined : event.traits, event.context?.traits, event.properties]
  return places.some(place => isJsonObject(place) && !(isNothing(place.email) && isNothing(place.phone)))
}

const textFields = ['event', 'name', 'category', 'userId', 'anonymousId', 'groupId', 'previousId'] as const

function readTextFields(
  template: EventTemplate,
  reading: Reading,
): Partial<Record<(typeof textFields)[number], string>> {
  return Object.fromEntries(textFields.map(name => [name, readText(template[name], reading, `event.${name}`)]))
}

function readText(template: Template | undefined, reading: Reading, at: string): string | undefined {
  if (template === undefined) return undefined
  const value = evaluate(template, reading, at)
  if (isNothing(value)) return undefined
  if (typeof value !== 'object') return String(value)
  reading.faults.push({ at, message: 'must be a text, not a list or an object' })
  return undefined
}

function readObject(
  template: Record<string, Template> | undefined,
  reading: Reading,
  at: string,
): JsonObject | undefined {
  return template && evaluateObject(template, reading, at)
}

function readTimestamp(template: Template | undefined, reading: Reading): string | undefined {
  const text = readText(template, reading, 'event.timestamp')
  if (text === undefined) return undefined
  const instant = parseInstant(text)
  if (instant === undefined) {
    reading.faults.push({
      at: 'event.timestamp',
      message: 'is no point in time; for numbers since 1970 use "as": "epoch"',
    })
  }
  return instant
}

function readContext(rule: WebhookRule, material: EventMaterial, reading: Reading): JsonObject {
  const { externalIds, ...context } = readObject(rule.event.context, reading, 'event.context') ?? {}
  const ids = [...(Array.isArray(externalIds) ? externalIds : []), ...readExternalIds(rule.event, reading)]
  return {
    ...context,
    ...(ids.length > 0 && { externalIds: ids }),
    // For whoever asks why an event looks as it does: the rule that made it, and the delivery as the vendor names it.
    webhook: { rule: rule.name, ...('vendorId' in material.delivery && { delivery: material.delivery.vendorId }) },
  }
}

/** As Segment spells them: `{ id, type, collection, encoding }`. A list gives several of one namespace. */
function readExternalIds(template: EventTemplate, reading: Reading): JsonObject[] {
  return Object.entries(template.externalIds ?? {}).flatMap(([type, part]) => {
    const at = `event.externalIds.${type}`
    const value = evaluate(part, reading, at)
    const ids = [...new Set((Array.isArray(value) ? value : [value]).filter(id => !isNothing(id)))]
    if (ids.some(id => typeof id === 'object'))
      reading.faults.push({ at, message: 'must be a text or a list of texts' })
    return ids.map(id => ({ id: String(id), type, collection: 'users', encoding: 'none' }))
  })
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T
}
