import { describe, expect, test } from 'vitest'
import { deliver, namedBy, rulesWith } from '../../../../test/webhook-delivery.ts'
import { defaultIdentityRules } from '../../../spec/identifier.ts'
import { webhookMappingSchema } from '../mapping.ts'
import { signatureSchemeSchema } from '../signature.ts'
import { findWebhookPreset, webhookPresets } from './index.ts'

describe.each(webhookPresets.map(preset => [preset.id, preset] as const))('the preset %s', (id, preset) => {
  test('is well formed', () => {
    expect(findWebhookPreset(id)).toBe(preset)
    expect(webhookMappingSchema.parse(preset.mapping)).toEqual(preset.mapping)
    expect(signatureSchemeSchema.parse(preset.signature)).toEqual(preset.signature)
    expect(JSON.parse(JSON.stringify(preset))).toEqual(preset)
    expect(preset.setup.length).toBeGreaterThan(1)
  })

  test('makes events of its sample, that name somebody', () => {
    const { events, rejects } = deliver(preset, preset.sample.body, preset.sample.headers)
    expect(rejects).toEqual([])
    expect(events.length).toBeGreaterThan(0)
    for (const event of events) expect(namedBy(preset, event)).not.toEqual([])
  })

  test('names every namespace that it uses', () => {
    const known = rulesWith(preset).namespaces
    const used = preset.mapping.rules.flatMap(rule => Object.keys(rule.event.externalIds ?? {}))
    for (const namespace of used) expect(known).toHaveProperty([namespace])
  })

  test('ignores what it does not know', () => {
    const unknown = { type: 'nothing.known', object: 'unknown', direction: 'internal' }
    if (id === 'point-of-sale') expect(deliver(preset, { ...unknown, type: 'void' }).ignored).toBe('no_rule_matched')
    else expect(deliver(preset, unknown)).toEqual({ events: [], rejects: [], ignored: 'no_rule_matched' })
  })
})

test('a new workspace knows every namespace of every preset, by the same rule', () => {
  for (const { namespaces } of webhookPresets) {
    for (const [name, rule] of Object.entries(namespaces)) {
      const { class: known, priority, limit } = defaultIdentityRules.namespaces[name] ?? {}
      expect([name, { class: known, priority, limit }]).toEqual([name, { limit: undefined, ...rule }])
    }
  }
})

test('an unknown preset is none', () => expect(findWebhookPreset('toString')).toBeUndefined())
