/** A rejected event or delivery, mended, goes through the same door as any other. */
import type { Context } from '../context.ts'
import { type Fault, Problem } from '../errors.ts'
import { findSource, openWebhookSettings, readSignedDelivery } from '../sources/index.ts'
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import type { Acceptance, Submission } from './commit.ts'
import { fillSubmission, type Receiving, type Refused } from './fill-submission.ts'
import { parseJson } from './json-text.ts'
import type { StoredRejection } from './store-rejected.ts'
import { submissionOfWebhook } from './webhook-submission.ts'

type Stores = Pick<Context, 'postgres' | 'config' | 'accepter'>
type Source = Awaited<ReturnType<typeof findSource>>

/**
 * Reads `payload` (default: what was sent) and accepts it under the source it came from: as one event or, where a webhook's
 * mapping refused a delivery, as that delivery, by the mapping as it is now. The time of its first arrival counts as the time
 * it was received, so that mending late does not move an event in time. Throws `unprocessable` with what is still wrong;
 * then nothing was stored.
 */
export async function resend(
  context: Stores,
  workspaceId: number,
  rejection: StoredRejection,
  payload: string | undefined,
): Promise<Acceptance> {
  if (payload === undefined && rejection.isCut) {
    throw new Problem('unprocessable', 'What was sent was not kept whole, so it cannot be sent again as it was.')
  }
  const source = await findSource(context.postgres, workspaceId, rejection.source)
  const bytes = payload === undefined ? rejection.payload : Buffer.from(payload)
  const { deliveryHeaders } = rejection
  const filled =
    deliveryHeaders === null
      ? fillEvent(rejection, bytes, { ...receivingOf(workspaceId, rejection), mayBeNobodys: mayBeNobodys(source) })
      : fillDelivery(context, source, { body: bytes, headers: deliveryHeaders }, receivingOf(workspaceId, rejection))
  const [refused] = filled.refused
  if (refused) throw refusedAgain(filled.refused.map(({ detail }) => ({ path: 'payload', message: detail })))
  return context.accepter.accept(filled.submission)
}

/** The same id however often: two people who mend the same event at once store it once. */
const receivingOf = (workspaceId: number, rejection: StoredRejection): Receiving => ({
  workspaceId,
  source: rejection.source,
  receivedAt: rejection.receivedAt.getTime(),
  newMessageId: () => `resent-${rejection.id}`,
})

/** Mappings decide for themselves whose an event is. */
const mayBeNobodys = (source: Source) => source?.kind === 'webhook' || source?.kind === 'import'

type Filled = { submission: Submission; refused: Refused[] }

function fillEvent(
  rejection: StoredRejection,
  bytes: Buffer,
  receiving: Receiving & { mayBeNobodys: boolean },
): Filled {
  const value = readObject(bytes)
  if (rejection.reason !== 'processing_failed') {
    return fillSubmission({ calls: [{ value, mayBeNobodys: receiving.mayBeNobodys }], isBatch: false }, receiving)
  }
  // It stood in the log: its id is taken, when it was received it says itself, and its time was corrected already.
  const receivedAt = Date.parse(String(value.receivedAt)) || receiving.receivedAt
  const { sentAt: _, ...logged } = value
  const call = { value: { ...logged, messageId: receiving.newMessageId() }, mayBeNobodys: true }
  return fillSubmission({ calls: [call], isBatch: false }, { ...receiving, receivedAt })
}

function fillDelivery(
  context: Stores,
  source: Source,
  delivery: { body: Buffer; headers: Record<string, string> },
  receiving: Receiving,
): Filled {
  if (source?.kind !== 'webhook') {
    throw new Problem('unprocessable', 'The webhook that this was sent to is archived, and its mapping with it.')
  }
  const settings = openWebhookSettings(context.config, source.settings)
  const outcome = readSignedDelivery(settings, { ...delivery, source: source.slug, receivedAt: receiving.receivedAt })
  if (outcome.ignored !== undefined) {
    throw refusedAgain([{ path: 'payload', message: 'No rule of the mapping speaks of such a delivery.' }])
  }
  if (outcome.rejects.length > 0) {
    throw refusedAgain(outcome.rejects.map(({ detail }) => ({ path: 'payload', message: detail })))
  }
  return submissionOfWebhook(outcome, delivery, receiving)
}

const FAULTS_MAX = 50

const refusedAgain = (faults: Fault[]) =>
  new Problem('unprocessable', 'It would be refused again.', { faults: faults.slice(0, FAULTS_MAX) })

function readObject(bytes: Buffer): JsonObject {
  let value: Json = null
  try {
    value = parseJson(bytes)
  } catch {
    // Falls through: the sentence below says all that the user can use.
  }
  if (isJsonObject(value)) return value
  throw new Problem('unprocessable', 'The payload is not one JSON object.', {
    faults: [{ path: 'payload', message: 'Not a JSON object.' }],
  })
}
