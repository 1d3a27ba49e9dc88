/** HTTP around a source that is being set up: presets of webhooks, their dry run, and code to paste. */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { type Fault, Problem } from '../errors.ts'
import { route } from '../http/route.ts'
import { type Json, jsonSchema } from '../spec/json.ts'
import { snippets } from './snippets.ts'
import { snippetIdsOf, sourceParams } from './source.ts'
import { findSource } from './store.ts'
import { findWebhookPreset, type PreviewError, previewWebhook, webhookPresets } from './webhook/index.ts'
import { faultIn } from './webhook-settings.ts'

const SAMPLE_CHARACTERS_MAX = 500_000
const HEADER_CHARACTERS_MAX = 8_000
const ORIGIN_CHARACTERS_MAX = 300
/** A URL's host may hold quotes; one that goes into code, and onto a command line, may not. */
const PLAIN_HOST = /^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/i

const anyObject = z.record(z.string(), jsonSchema)
const faultSchema = z.object({ path: z.string(), message: z.string() })

const presetSchema = z.object({
  id: z.string(),
  title: z.string(),
  summary: z.string(),
  setup: z.array(z.string()).describe('What to do at the vendor’s end, in order.'),
  signature: anyObject,
  mapping: anyObject.describe('As a mapping of one’s own would be: a start for changing it.'),
  namespaces: anyObject.describe('Identifiers that it names; the default identity rules know them.'),
  sample: z.object({ headers: z.record(z.string(), z.string()), body: jsonSchema }),
})

const previewSchema = z.object({
  events: z.array(anyObject).describe('As they would be stored; the server adds source and receivedAt.'),
  rejects: z.array(
    z.object({
      reason: z.string(),
      rule: z.string().nullable(),
      item: z.number().int().nullable().describe('Which element of the rule’s list, from 0.'),
      detail: z.string(),
      faults: z.array(z.object({ at: z.string(), path: z.string().nullable(), message: z.string() })),
    }),
  ),
  ignored: z.string().nullable().describe('no_rule_matched: no rule speaks of such a delivery.'),
  warnings: z.array(faultSchema),
})

const previewBody = z
  .strictObject({
    preset: z.enum(webhookPresets.map(preset => preset.id)).optional(),
    mapping: jsonSchema.optional(),
    sample: z.strictObject({
      text: z.string().max(SAMPLE_CHARACTERS_MAX).describe('The body as pasted: JSON or form fields.'),
      headers: z.record(z.string(), z.string().max(HEADER_CHARACTERS_MAX)).optional(),
      contentType: z.string().max(HEADER_CHARACTERS_MAX).optional(),
    }),
    sourceId: z.string().max(48).optional().describe('Its messageIds are shown; without it, those of no source.'),
  })
  .refine(body => (body.preset === undefined) !== (body.mapping === undefined), 'Give either a preset or a mapping.')

export const webhookRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/webhook-presets',
    summary: 'Ready-made mappings of common vendors’ webhooks',
    tag: 'sources',
    access: 'viewer',
    responses: { 200: z.object({ data: z.array(presetSchema), nextCursor: z.null() }) },
    errors: [],
    handle: async () => ({ data: webhookPresets.map(preset => presetSchema.parse(preset)), nextCursor: null }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/webhook-previews',
    summary: 'Try a mapping on a sample; nothing is stored',
    description: 'What is wrong with the mapping or the sample is answered 400, with the path of each fault.',
    tag: 'sources',
    access: 'editor',
    body: previewBody,
    responses: { 200: previewSchema },
    errors: [],
    handle: async ({ context, body }) => {
      const mapping = body.preset === undefined ? body.mapping : findWebhookPreset(body.preset)?.mapping
      const { text, headers = {}, contentType } = body.sample
      const preview = previewWebhook(mapping, {
        text,
        headers,
        contentType: contentType ?? contentTypeIn(headers),
        receivedAt: new Date(context.now()).toISOString(),
        source: body.sourceId ?? 'preview',
      })
      if (!preview.ok) throw unreadable(preview.errors)
      return {
        events: preview.events as Record<string, Json>[],
        rejects: preview.rejects.map(({ reason, rule, item, detail, faults }) => ({
          reason,
          rule: rule ?? null,
          item: item ?? null,
          detail,
          faults: faults.map(fault => ({ at: fault.at, path: fault.path ?? null, message: fault.message })),
        })),
        ignored: preview.ignored ?? null,
        warnings: preview.warnings,
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/sources/{id}/snippets',
    summary: 'Code to paste, for each client that can send to this source',
    tag: 'sources',
    access: 'editor',
    params: sourceParams,
    query: z.object({
      origin: z
        .url({ protocol: /^https?$/, hostname: PLAIN_HOST })
        .max(ORIGIN_CHARACTERS_MAX)
        .optional()
        .describe('Where clients reach this server, `https://events.example.com`; without it, where this request did.'),
    }),
    responses: {
      200: z.object({
        data: z.array(
          z.object({ id: z.string(), title: z.string(), language: z.enum(['js', 'sh', 'html']), code: z.string() }),
        ),
        nextCursor: z.null(),
      }),
    },
    errors: [],
    handle: async ({ context, actor, params, query, raw }) => {
      const source = await findSource(context.postgres, actor.workspaceId, params.id)
      if (!source) throw new Problem('not_found', 'There is no such source in this workspace.')
      const ids = snippetIdsOf(source.kind)
      const place = { origin: query.origin ?? originOf(raw.headers), writeKey: source.writeKey }
      return { data: snippets(place).filter(({ id }) => ids(id)), nextCursor: null }
    },
  }),
] as const

/** The page of a server behind a proxy says by Origin or Referer where browsers reach it; Host alone lacks the scheme. */
function originOf({ origin, referer, host }: IncomingHttpHeaders): string {
  const candidates = [origin, referer, `http://${host}`].filter(text => text !== undefined && URL.canParse(text))
  const url = candidates.map(text => new URL(text as string)).find(({ host: own }) => own === host)
  if (!url || !PLAIN_HOST.test(url.hostname)) throw new Problem('invalid_request', 'The Host header is not an address.')
  return url.origin
}

const contentTypeIn = (headers: Record<string, string>) =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''

function unreadable(errors: PreviewError[]): Problem {
  const faults = errors.map((error): Fault => {
    if (!error.path.startsWith('sample')) {
      return error.path === 'mapping' ? error : faultIn('mapping', error)
    }
    const place = error.path.slice('sample '.length)
    return { path: 'sample.text', message: place === '' ? error.message : `${error.message} (${place})` }
  })
  return new Problem('invalid_request', 'The mapping or the sample cannot be read.', { faults })
}
