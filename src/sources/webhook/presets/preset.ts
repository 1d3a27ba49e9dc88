/** What a preset is: everything a webhook source of one vendor needs, as data. */
import type { Json } from '../../../spec/json.ts'
import type { WebhookMapping } from '../mapping.ts'
import type { SignatureScheme } from '../signature.ts'

export interface WebhookPreset {
  id: string
  title: string
  /** What arrives and what it becomes, in one sentence. */
  summary: string
  /** What to do at the vendor's end, in order. */
  setup: string[]
  signature: SignatureScheme
  mapping: WebhookMapping
  /** A made-up delivery in the vendor's form, to try the mapping on. */
  sample: { headers: Record<string, string>; body: Json }
}
