/** Deliveries to webhook presets: a preset and a body come in; its events, and whom the identity rules say they name, go out. */

import { applyWebhookMapping, type WebhookOutcome } from '../src/sources/webhook/apply.ts'
import type { WebhookEvent } from '../src/sources/webhook/make-event.ts'
import type { WebhookPreset } from '../src/sources/webhook/presets/preset.ts'
import type { Event } from '../src/spec/event.ts'
import {
  defaultIdentityRules,
  extractIdentifiers,
  type IdentityRules,
  identifierKey,
  identityRulesSchema,
} from '../src/spec/identifier.ts'
import type { Json } from '../src/spec/json.ts'

const receivedAt = '2026-02-01T00:00:00.000Z'
const source = 'vendor'

export function deliver(preset: WebhookPreset, body: Json, headers: Record<string, string> = {}): WebhookOutcome {
  return applyWebhookMapping(preset.mapping, { body, headers, receivedAt, source })
}

/** A new workspace’s rules, with those of the preset’s namespaces as the preset gives them. */
export function rulesWith(preset: WebhookPreset): IdentityRules {
  const { namespaces, ...rules } = defaultIdentityRules
  return identityRulesSchema.parse({ ...rules, namespaces: { ...namespaces, ...preset.namespaces } })
}

/** The identifiers of an event as `namespace:value`, in order of the alphabet. */
export function namedBy(preset: WebhookPreset, event: WebhookEvent | undefined): string[] {
  if (!event) return []
  const whole: Event = { ...event, source, receivedAt }
  return extractIdentifiers(whole, rulesWith(preset)).identifiers.map(identifierKey).sort()
}
