/** Webhook sources: what the room around them needs. All of it is pure. */
export type { WebhookOutcome, WebhookReject } from './apply.ts'
export { headersRead } from './headers-read.ts'
export type { WebhookEvent } from './make-event.ts'
export { findWebhookPreset, webhookPresets } from './presets/index.ts'
export { type PreviewError, previewWebhook, type WebhookPreview, type WebhookSample } from './preview.ts'
export { readSignedDelivery, readWebhookDelivery, type WebhookReading, type WebhookRequest } from './read-delivery.ts'
export { readFaults } from './schema-faults.ts'
export { type WebhookSettings, webhookSettingsSchema } from './settings.ts'
