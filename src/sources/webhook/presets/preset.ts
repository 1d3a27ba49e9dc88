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
  /**
   * Namespaces of the vendor's own that the mapping's `externalIds` use. Identifiers of unknown namespaces join nobody, so
   * the default identity rules know them; a workspace whose rules were made without them is to add them.
   */
  namespaces: Record<string, PresetNamespace>
  /** A made-up delivery in the vendor's form, to try the mapping on. */
  sample: { headers: Record<string, string>; body: Json }
}

/** A contact namespace: one holder for all time; priority as the other contacts, before devices. `limit` per person; none is unlimited. */
export interface PresetNamespace {
  class: 'contact'
  priority: number
  limit?: number
}
