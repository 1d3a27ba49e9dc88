import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../spec/json.ts'
import { bodyDepthMax, elementsMax, eventsPerDeliveryMax, rulesMax, ruleValuesMax } from './limits.ts'
import { simpleConversions } from './mapping.ts'
import { webhookPresets } from './presets/index.ts'
import { previewWebhook } from './preview.ts'
import { webhookSettingsSchema } from './settings.ts'
import { signatureSchemeSchema } from './signature.ts'

const guide = readFileSync(new URL('../../../docs/guides/webhooks.md', import.meta.url), 'utf8')

function block(kind: string): string {
  const text = new RegExp(`\`\`\`json ${kind}\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1]
  if (text === undefined) throw new Error(`The guide has no ${kind}.`)
  return text
}

describe('the guide', () => {
  test('shows the events that its mapping makes of its sample', () => {
    const sample = { text: block('sample'), receivedAt: '2026-02-01T00:00:00.000Z', source: 'guide' }
    const preview = previewWebhook(JSON.parse(block('mapping')), sample)
    if (!preview.ok) throw new Error(JSON.stringify(preview.errors))
    expect([preview.rejects, preview.warnings]).toEqual([[], []])
    expect(preview.events).toMatchObject(JSON.parse(block('events')) as Json[])
    expect(preview.events).toHaveLength(2)
  })

  test('makes a source with settings that are right', () => {
    const settings = /"settings": (\{.*\}) \}'/.exec(guide)?.[1]?.replace(`'"$SECRET"'`, 'try-it-only') ?? ''
    expect(webhookSettingsSchema.parse(JSON.parse(settings))).toMatchObject({ preset: 'point-of-sale' })
  })

  test('sends a receipt that becomes an order of somebody', () => {
    const body = /BODY='([^']*)'/.exec(guide)?.[1] ?? ''
    const preset = webhookPresets.find(({ id }) => id === 'point-of-sale')
    const preview = previewWebhook(preset?.mapping, {
      text: body,
      receivedAt: '2026-02-01T00:00:00.000Z',
      source: 'guide',
    })
    expect(preview).toMatchObject({
      ok: true,
      events: [{ event: 'Order Completed', properties: { total: 9, revenue: 7.56 } }],
      rejects: [],
    })
  })

  test('lists every signature scheme in a form that is right', () => {
    const shown = [...guide.matchAll(/^\| `(\{ "scheme".*?\})` \|/gm)].map(match =>
      signatureSchemeSchema.parse(JSON.parse(match[1] ?? '')),
    )
    expect(shown.map(({ scheme }) => scheme)).toEqual(
      signatureSchemeSchema.options.map(option => option.shape.scheme.value),
    )
  })

  test('names every preset, its namespaces, every conversion and the limits', () => {
    for (const preset of webhookPresets) {
      expect(guide).toContain(`| \`${preset.id}\` |`)
      for (const namespace of Object.keys(preset.namespaces)) expect(guide).toContain(`\`${namespace}\``)
    }
    for (const conversion of simpleConversions) expect(guide).toContain(`\`${conversion}\``)
    for (const limit of [rulesMax, ruleValuesMax, eventsPerDeliveryMax, elementsMax, bodyDepthMax]) {
      expect(guide).toContain(limit.toLocaleString('en'))
    }
  })
})
