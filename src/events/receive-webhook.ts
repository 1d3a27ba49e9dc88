/**
 * The shell behind /v1/webhooks/:writeKey. In: one delivery as its vendor sent it. Out: its events durably stored, what could
 * not be read kept with its reason, and the answer that the vendor wants; or a `Problem`.
 */
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import {
  headersRead,
  openWebhookSettings,
  readWebhookDelivery,
  type WebhookOutcome,
  type WebhookReading,
} from '../sources/index.ts'
import { isJsonObject } from '../spec/json.ts'
import type { FoundSource, WebhookAnswer, WebhookDelivery } from './collect.ts'
import { submissionOfWebhook } from './webhook-submission.ts'

/**
 * What is signed is answered 200, readable or not: a vendor that is told 400 sends the same again for days. Throws
 * `not_found` for a source that takes no webhooks, `invalid_signature`, `forbidden` (Meta's question with a wrong token),
 * `method_not_allowed`, `unavailable`, `overloaded`.
 */
export async function receiveWebhook(
  context: Pick<Context, 'accepter' | 'config' | 'uuid'>,
  delivery: WebhookDelivery,
): Promise<WebhookAnswer> {
  const { source, body, headers, receivedAt } = delivery
  if (source.kind !== 'webhook') throw takesNoWebhooks(source)
  const settings = openWebhookSettings(context.config, isJsonObject(source.settings) ? source.settings : {})
  const reading = readWebhookDelivery(settings, { ...delivery, source: source.slug })
  if (reading.kind === 'challenge') return { status: 200, body: reading.challenge }
  if (reading.kind === 'refused') throw refusalOf(reading)

  const { workspaceId, slug } = source
  const { submission } = submissionOfWebhook(
    reading,
    { body, headers: headersRead(settings, headers) },
    { workspaceId, source: slug, receivedAt, newMessageId: context.uuid },
  )
  return { status: 200, body: await acceptAll(context, reading, submission) }
}

async function acceptAll(
  { accepter }: Pick<Context, 'accepter'>,
  outcome: WebhookOutcome,
  submission: Parameters<Context['accepter']['accept']>[0],
) {
  if (outcome.ignored !== undefined) return { success: true, stored: 0, deduplicated: 0, rejected: 0, ignored: true }
  const { stored, deduplicated, rejected } = await accepter.accept(submission)
  return { success: true, stored, deduplicated, rejected }
}

const takesNoWebhooks = ({ kind }: FoundSource) =>
  new Problem('not_found', `The source of this write key is of the kind ${kind}: it takes no webhooks.`, {
    hint: 'Make a source of the kind webhook, and use its write key.',
  })

type Refused = Extract<WebhookReading, { kind: 'refused' }>

function refusalOf({ status, reason }: Refused): Problem {
  if (status === 405) {
    return new Problem('method_not_allowed', 'This webhook takes POST only.', {
      hint: 'GET is for Meta’s question, which the source’s signature scheme does not know.',
    })
  }
  if (status === 403) return new Problem('forbidden', refusalWords[reason])
  return new Problem('invalid_signature', refusalWords[reason], {
    hint: 'Nothing was kept. Compare the signature and the secret of the source with what the sender uses.',
  })
}

const refusalWords: Readonly<Record<Refused['reason'], string>> = {
  secret_missing: 'The source has no secret to check the signature with.',
  secret_malformed: 'The source’s secret is not one that this kind of signature can use.',
  signature_missing: 'The delivery has no signature where the source expects one.',
  signature_malformed: 'The signature is not of the form that the source expects.',
  signature_mismatch: 'The signature is not that of this body under a secret of the source.',
  timestamp_too_old: 'The delivery was signed too long ago.',
  timestamp_too_new: 'The delivery was signed in the future: one of the clocks is wrong.',
  wrong_verify_token: 'The verify token is not the source’s.',
  no_challenge: 'This is no question that a webhook answers.',
}
