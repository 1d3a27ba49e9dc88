/** The presets, in the order in which they are offered. */
import { callDetailRecordPreset } from './call-detail-record.ts'
import { metaPreset } from './meta.ts'
import { pointOfSalePreset } from './point-of-sale.ts'
import type { WebhookPreset } from './preset.ts'
import { shopifyPreset } from './shopify.ts'
import { stripePreset } from './stripe.ts'

export type { PresetNamespace, WebhookPreset } from './preset.ts'

export const webhookPresets: readonly WebhookPreset[] = [
  stripePreset,
  shopifyPreset,
  metaPreset,
  callDetailRecordPreset,
  pointOfSalePreset,
]

export const findWebhookPreset = (id: string): WebhookPreset | undefined =>
  webhookPresets.find(preset => preset.id === id)
