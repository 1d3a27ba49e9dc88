/** Webhook sources: what the rest of the program may use of them. All of it is pure. */
export {
  applyWebhookMapping,
  type WebhookDelivery,
  type WebhookIgnored,
  type WebhookOutcome,
  type WebhookReject,
  type WebhookRejectReason,
} from './apply.ts'
export { type BodyFault, type ReadBody, readWebhookBody, readWebhookText } from './body.ts'
export type { WebhookEvent } from './make-event.ts'
export { type WebhookMapping, webhookMappingSchema } from './mapping.ts'
export { findWebhookPreset, type PresetNamespace, type WebhookPreset, webhookPresets } from './presets/index.ts'
export { type PreviewError, previewWebhook, type WebhookPreview, type WebhookSample } from './preview.ts'
export { readWebhookDelivery, type WebhookReading, type WebhookRequest } from './read-delivery.ts'
export { type WebhookSettings, webhookSettingsSchema } from './settings.ts'
export {
  answerMetaChallenge,
  type MetaChallenge,
  type SignatureCheck,
  type SignatureFault,
  type SignatureScheme,
  type SignedRequest,
  signatureSchemeSchema,
  verifySignature,
} from './signature.ts'
export type { ValueFault } from './template.ts'
