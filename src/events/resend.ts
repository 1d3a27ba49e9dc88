/** A rejected event, mended, goes through the same door as any other. */
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { isJsonObject, type Json } from '../spec/json.ts'
import type { Acceptance } from './commit.ts'
import { parseJson } from './json-text.ts'
import { encodeLine } from './log-group.ts'
import { parseCall } from './parse.ts'
import type { StoredRejection } from './store-rejected.ts'

/**
 * Parses `payload` (default: what was sent) and accepts it under the source it came from. The time of its first
 * arrival counts as the time it was received, so that mending late does not move an event in time.
 * Throws `unprocessable` with what is still wrong.
 */
export async function resend(
  context: Pick<Context, 'uuid' | 'accepter'>,
  workspaceId: number,
  rejection: StoredRejection,
  payload: string | undefined,
): Promise<Acceptance> {
  if (payload === undefined && rejection.isCut) {
    throw new Problem(
      'unprocessable',
      'What was sent was too large to keep whole, so it cannot be sent again as it was.',
    )
  }
  const parsed = parseCall(readPayload(payload ?? rejection.payload), {
    source: rejection.source,
    receivedAt: rejection.receivedAt.getTime(),
    newMessageId: context.uuid,
  })
  if ('reason' in parsed) {
    throw new Problem('unprocessable', 'The event would be refused again.', {
      faults: [{ path: 'payload', message: parsed.detail }],
    })
  }
  const { source } = rejection
  return context.accepter.accept({
    workspaceId,
    source,
    events: [parsed.event],
    lines: [encodeLine(parsed.event)],
    rejections: [],
  })
}

function readPayload(payload: string | Buffer): Json {
  try {
    const value = parseJson(payload)
    if (isJsonObject(value)) return value
  } catch {
    // Falls through: the sentence below says all that the user can use.
  }
  throw new Problem('unprocessable', 'The payload is not one JSON object.', {
    faults: [{ path: 'payload', message: 'Not a JSON object.' }],
  })
}
