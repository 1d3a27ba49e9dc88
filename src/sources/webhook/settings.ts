/** The settings of a webhook source: JSON of a source's row comes in, its mapping and signature go out. */
import { z } from 'zod'
import { type WebhookMapping, webhookMappingSchema } from './mapping.ts'
import { findWebhookPreset, webhookPresets } from './presets/index.ts'
import { type SignatureScheme, signatureSchemeSchema } from './signature.ts'

/** Secrets at one time: the one in use, and those that are being rolled out or away. */
const secretsMax = 5
const secretCharactersMax = 500

const secret = z.string().trim().min(1).max(secretCharactersMax)

/** `preset` or `mapping`; a preset brings its own signature scheme, which `signature` overrides. */
export const webhookSettingsSchema = z
  .strictObject({
    preset: z.enum(webhookPresets.map(preset => preset.id)).optional(),
    mapping: webhookMappingSchema.optional(),
    signature: signatureSchemeSchema.optional(),
    secrets: z.array(secret).max(secretsMax).default([]),
    /** Meta only: what was typed in as verify token at Meta. */
    verifyToken: secret.optional(),
  })
  .superRefine((settings, context) => {
    if ((settings.preset === undefined) === (settings.mapping === undefined)) {
      context.addIssue({ code: 'custom', message: 'Give either a preset or a mapping.' })
    }
    if (signatureOf(settings).scheme !== 'none' && settings.secrets.length === 0) {
      context.addIssue({ code: 'custom', path: ['secrets'], message: 'This signature needs a secret.' })
    }
  })
export type WebhookSettings = z.infer<typeof webhookSettingsSchema>

/** A mapping of one's own wins over the preset's. */
export function mappingOf(settings: WebhookSettings): WebhookMapping | undefined {
  return settings.mapping ?? findWebhookPreset(settings.preset ?? '')?.mapping
}

/** Without a preset or a scheme, the write key in the address is all the proof there is. */
export function signatureOf(settings: Pick<WebhookSettings, 'preset' | 'signature'>): SignatureScheme {
  return settings.signature ?? findWebhookPreset(settings.preset ?? '')?.signature ?? { scheme: 'none' }
}
