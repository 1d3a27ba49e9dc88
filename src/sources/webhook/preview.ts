/**
 * The dry run: a mapping as someone is writing it and a pasted sample come in; the events it would make, or readable
 * errors with the path at fault, go out. Stores nothing, never throws.
 */
import { applyWebhookMapping, type WebhookOutcome } from './apply.ts'
import { readWebhookText } from './body.ts'
import { webhookMappingSchema } from './mapping.ts'
import { readFaults } from './schema-faults.ts'

export interface WebhookSample {
  /** The body as pasted: JSON or form fields. */
  text: string
  /** Headers that the mapping reads, such as X-Shopify-Topic. */
  headers?: Readonly<Record<string, string>>
  contentType?: string
  /** ISO-8601 UTC; the time of events whose rule names none. */
  receivedAt: string
  source: string
}

export interface PreviewError {
  /** Where: `rules[2].event.properties.total` in the mapping, `sample` or `sample line 3, column 7` in the sample. */
  path: string
  message: string
}

export type WebhookPreview =
  | ({ ok: true; warnings: PreviewError[] } & WebhookOutcome)
  | { ok: false; errors: PreviewError[] }

export function previewWebhook(mapping: unknown, sample: WebhookSample): WebhookPreview {
  const parsed = webhookMappingSchema.safeParse(mapping)
  const read = readWebhookText(sample.text, sample.contentType)
  const errors = [...(parsed.success ? [] : readFaults(parsed.error)), ...(read.ok ? [] : [errorOf(read)])]
  if (!parsed.success || !read.ok) return { ok: false, errors }

  const { headers = {}, receivedAt, source } = sample
  const outcome = applyWebhookMapping(parsed.data, { body: read.body, headers, receivedAt, source })
  return { ok: true, ...outcome, warnings: sameIdWarnings(outcome) }
}

function errorOf(fault: { message: string; line?: number; column?: number }): PreviewError {
  const place = fault.line === undefined ? 'sample' : `sample line ${fault.line}, column ${fault.column}`
  return { path: place, message: fault.message }
}

/** Two events with one id would be stored as one: the rule's messageId names the whole, not the element. */
function sameIdWarnings(outcome: WebhookOutcome): PreviewError[] {
  const byId = Map.groupBy(outcome.events, event => event.messageId)
  const doubled = [...byId.values()].filter(events => events.length > 1)
  return doubled.map(events => ({
    path: `rule ${webhookRuleOf(events[0]?.context)}, event.messageId`,
    message: `${events.length} events have the same messageId; only the first would be stored.`,
  }))
}

function webhookRuleOf(context: WebhookOutcome['events'][number]['context']): string {
  const webhook = context?.webhook
  const rule = typeof webhook === 'object' && webhook !== null && !Array.isArray(webhook) ? webhook.rule : undefined
  return typeof rule === 'string' ? rule : ''
}
