/**
 * One request to a webhook address, from the raw bytes to events: a source's settings and the request come in; the
 * challenge to answer, a refusal, or the events and rejects to store go out. Never throws.
 *
 * Only a wrong signature is refused over HTTP. What is signed but cannot be read is kept as rejected and answered 200:
 * a vendor that is told 400 sends the same again for days, and then stops sending altogether.
 */
import { applyWebhookMapping, type WebhookOutcome, type WebhookReject } from './apply.ts'
import { type BodyFault, readWebhookBody } from './body.ts'
import { mappingOf, signatureOf, type WebhookSettings } from './settings.ts'
import { answerMetaChallenge, type SignatureFault, verifySignature } from './signature.ts'

export interface WebhookRequest {
  /** Slug of the source. */
  source: string
  method: 'GET' | 'POST'
  headers: Readonly<Record<string, string | string[] | undefined>>
  query: Readonly<Record<string, unknown>>
  /** As sent: signatures cover these bytes. */
  body: Uint8Array
  /** Epoch milliseconds. */
  receivedAt: number
}

export type WebhookReading =
  | { kind: 'challenge'; challenge: string }
  | { kind: 'refused'; status: 401 | 403 | 405; reason: SignatureFault | 'wrong_verify_token' | 'no_challenge' }
  | ({ kind: 'taken' } & WebhookOutcome)

export function readWebhookDelivery(settings: WebhookSettings, request: WebhookRequest): WebhookReading {
  const query = textsOf(request.query)
  const signature = signatureOf(settings)
  if (request.method === 'GET') {
    if (signature.scheme !== 'meta') return { kind: 'refused', status: 405, reason: 'no_challenge' }
    const answer = answerMetaChallenge(query, settings.verifyToken ?? '')
    if (answer.ok) return { kind: 'challenge', challenge: answer.challenge }
    return {
      kind: 'refused',
      status: 403,
      reason: answer.reason === 'wrong_token' ? 'wrong_verify_token' : 'no_challenge',
    }
  }

  const { headers, body, receivedAt } = request
  const check = verifySignature(signature, settings.secrets, { rawBody: body, headers, query }, receivedAt)
  if (!check.ok) return { kind: 'refused', status: 401, reason: check.reason }
  return { kind: 'taken', ...readSignedDelivery(settings, request) }
}

/** What a delivery says, once it is known to be the vendor's: also for one that was kept, and is read again as mended. */
export function readSignedDelivery(
  settings: WebhookSettings,
  { source, headers, body, receivedAt }: Pick<WebhookRequest, 'source' | 'headers' | 'body' | 'receivedAt'>,
): WebhookOutcome {
  const read = readWebhookBody(body, contentTypeOf(headers))
  if (!read.ok) return { events: [], rejects: [rejectOfBody(read.reason, read.message)] }
  const mapping = mappingOf(settings) ?? { rules: [] }
  return applyWebhookMapping(mapping, {
    body: read.body,
    headers,
    receivedAt: new Date(receivedAt).toISOString(),
    source,
  })
}

const rejectOfBody = (fault: BodyFault, detail: string): WebhookReject => ({
  reason: fault === 'too_many_fields' ? 'too_many_properties' : 'invalid_json',
  detail,
  faults: [],
})

function contentTypeOf(headers: WebhookRequest['headers']): string {
  const value = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/** Query parameters that are texts; whatever else a parser makes of a query is none. */
function textsOf(query: WebhookRequest['query']): Record<string, string | string[] | undefined> {
  const isText = (value: unknown): value is string => typeof value === 'string'
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      isText(value) || (Array.isArray(value) && value.every(isText)) ? value : undefined,
    ]),
  )
}
