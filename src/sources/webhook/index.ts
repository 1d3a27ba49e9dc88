/** Webhook sources: what the room around them needs. All of it is pure. */
export type { WebhookReject } from './apply.ts'
export type { WebhookEvent } from './make-event.ts'
export { webhookPresets } from './presets/index.ts'
export { type PreviewError, previewWebhook, type WebhookPreview, type WebhookSample } from './preview.ts'
export { readWebhookDelivery, type WebhookReading, type WebhookRequest } from './read-delivery.ts'
export { type WebhookSettings, webhookSettingsSchema } from './settings.ts'
