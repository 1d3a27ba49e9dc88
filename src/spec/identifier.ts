/**
 * Who an event speaks of: in, an event and the rules of its workspace; out, its identifiers in normal form, and the
 * values that are none, each with the rule that says so. Follows Segment's extraction
 * (https://www.twilio.com/docs/segment/unify/identity-resolution/externalids).
 */
import type { Event } from './event.ts'
import { type BlockRule, type Gate, gatesOf } from './identifier-value.ts'
import type { IdentityRules } from './identity-rules.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'

export { type BlockRule, identifierLengthMax } from './identifier-value.ts'
export * from './identity-rules.ts'

export interface Identifier {
  namespace: string
  value: string
}

export interface BlockedIdentifier extends Identifier {
  rule: BlockRule
}

export interface Extraction {
  identifiers: Identifier[]
  /** `alias` only: what `previousId` may be, as a login and as a browser. It counts once that identifier is seen. */
  previous: Identifier[]
  blocked: BlockedIdentifier[]
}

/** Every pair of identifiers in an event without a login is a link: 20 make 190. */
export const identifiersPerEventMax = 20
const externalIdsMax = 50

/** `namespace:value`, the one spelling of an identifier as text. Namespaces hold no colon. */
export const identifierKey = (identifier: Identifier): string => `${identifier.namespace}:${identifier.value}`

/** The reverse of `identifierKey`; undefined for text that is no key. */
export function parseIdentifierKey(key: string): Identifier | undefined {
  const colon = key.indexOf(':')
  if (colon <= 0 || colon === key.length - 1) return undefined
  return { namespace: key.slice(0, colon), value: key.slice(colon + 1) }
}

/** One identifier in the normal form of these rules; undefined when the namespace is unknown or the value blocked. */
export function normaliseIdentifier(identifier: Identifier, rules: IdentityRules): Identifier | undefined {
  const admission = gatesOf(rules).get(identifier.namespace)?.admit(identifier.value)
  return admission && 'value' in admission ? { namespace: identifier.namespace, value: admission.value } : undefined
}

/** The identifiers of an event, the login first found; what the rules keep out is in `blocked`. */
export function extractIdentifiers(event: Event, rules: IdentityRules): Extraction {
  const gates = gatesOf(rules)
  const collector = new Collector(gates, countryOf(event.context))
  collector.add('user_id', event.userId)
  collector.add('anonymous_id', event.anonymousId)
  collector.add('group_id', event.groupId ?? event.context?.groupId)
  addFromKeys(collector, event, gates)
  addFromDevice(collector, event.context?.device)
  addExternalIds(collector, event.context?.externalIds)
  for (const integrations of [event.integrations, event.context?.integrations]) {
    collector.add('ga_client_id', asObject(asObject(integrations)['Google Analytics']).clientId)
  }
  const previous = event.type === 'alias' ? collector.previousOf(event.previousId) : []
  return { identifiers: collector.identifiers, previous, blocked: collector.blocked }
}

class Collector {
  readonly identifiers: Identifier[] = []
  readonly blocked: BlockedIdentifier[] = []
  readonly #gates: Map<string, Gate>
  readonly #country: string | undefined

  constructor(gates: Map<string, Gate>, country: string | undefined) {
    this.#gates = gates
    this.#country = country
  }

  add(namespace: string, raw: Json | undefined): void {
    const identifier = this.#admit(namespace, raw)
    if (!identifier || this.#has(identifier)) return
    if (this.#gates.get(namespace)?.rule.class === 'login' && this.#hasLogin()) {
      this.blocked.push({ ...identifier, rule: 'second_login' })
    } else if (this.identifiers.length >= identifiersPerEventMax) {
      this.blocked.push({ ...identifier, rule: 'too_many' })
    } else {
      this.identifiers.push(identifier)
    }
  }

  previousOf(raw: Json | undefined): Identifier[] {
    return ['user_id', 'anonymous_id'].flatMap(namespace => this.#admit(namespace, raw) ?? [])
  }

  #admit(namespace: string, raw: Json | undefined): Identifier | undefined {
    if (typeof raw !== 'string' && typeof raw !== 'number') return undefined
    const gate = this.#gates.get(namespace)
    if (!gate) return undefined
    const text = String(raw)
    const admission = gate.admit(text, this.#country)
    if ('value' in admission) return { namespace, value: admission.value }
    this.blocked.push({ namespace, value: text, rule: admission.blocked })
    return undefined
  }

  #has(identifier: Identifier): boolean {
    return this.identifiers.some(known => known.namespace === identifier.namespace && known.value === identifier.value)
  }

  #hasLogin(): boolean {
    return this.identifiers.some(known => this.#gates.get(known.namespace)?.rule.class === 'login')
  }
}

/** The traits of a `group` call describe the company: its e-mail address is nobody's. */
function addFromKeys(collector: Collector, event: Event, gates: Map<string, Gate>): void {
  const traits = event.type === 'group' ? undefined : event.traits
  for (const place of [traits, event.context?.traits, event.properties]) {
    if (!isJsonObject(place)) continue
    for (const [namespace, gate] of gates) {
      for (const key of gate.keys) collector.add(namespace, place[key])
    }
  }
}

function addFromDevice(collector: Collector, raw: Json | undefined): void {
  const device = asObject(raw)
  const type = typeof device.type === 'string' ? device.type.toLowerCase() : ''
  if (type !== 'ios' && type !== 'android') return
  collector.add(`${type}.id`, device.id)
  collector.add(`${type}.push_token`, device.token)
  // Segment's rule: an Android advertising id counts only where the person allows it.
  if (type === 'ios' || device.adTrackingEnabled === true) collector.add(`${type}.idfa`, device.advertisingId)
}

function addExternalIds(collector: Collector, raw: Json | undefined): void {
  if (!Array.isArray(raw)) return
  for (const external of raw.slice(0, externalIdsMax).map(asObject)) {
    const isPerson = external.collection === undefined || external.collection === 'users'
    const isPlain = external.encoding === undefined || external.encoding === 'none'
    if (isPerson && isPlain && typeof external.type === 'string') collector.add(external.type, external.id)
  }
}

function countryOf(context: JsonObject | undefined): string | undefined {
  const country = asObject(context?.location).country
  return typeof country === 'string' && /^[A-Z]{2}$/.test(country) ? country : undefined
}

const asObject = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {})
