/**
 * The live view of a workspace as server-sent events. In: what is new, tick by tick. Out: text for one listener, each event
 * with the profile it belongs to.
 *
 * It stands in this room because here it is known both what arrived (events) and whose it is (identity).
 */
import type { Context } from '../context.ts'
import { type Following, follow, type Tick } from '../events/index.ts'
import { profilesOfEvents } from '../identity/index.ts'
import {
  openGate,
  processedMessage,
  rejectedMessage,
  type StreamFilter,
  selectFrom,
  skippedMessage,
} from './stream-message.ts'

/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000
/** Then the listener comes again, and whether it still may is asked again: a key may be revoked meanwhile. */
const STREAM_MS_MAX = 60 * 60 * 1000

export interface Listener {
  workspaceId: number
  filter: StreamFilter
  /** Aborts when the listener goes away or the server closes. */
  signal: AbortSignal
}

/** Resolves once nothing that is processed from now on can be missed. Throws `overloaded`. */
export async function openStream(
  context: Pick<Context, 'postgres' | 'now' | 'log'>,
  listener: Listener,
): Promise<AsyncIterable<string>> {
  const following = await follow(context, listener.workspaceId)
  // The text may never be asked for: then nothing else would end it.
  listener.signal.addEventListener('abort', following.close, { once: true })
  if (listener.signal.aborted) following.close()
  return streamText(context, listener, following)
}

async function* streamText(
  context: Pick<Context, 'postgres' | 'now' | 'log'>,
  listener: Listener,
  following: Following,
): AsyncGenerator<string> {
  const gate = openGate()
  const endsAt = context.now() + STREAM_MS_MAX
  let wroteAt = context.now()
  try {
    yield ': listening\n\n'
    for (;;) {
      const tick = await following.next()
      const now = context.now()
      if (!tick || now >= endsAt) return
      const text = await textOf(context, listener, tick, gate)
      if (text !== '') yield text
      else if (now - wroteAt >= HEARTBEAT_MS) yield ': nothing new\n\n'
      else continue
      wroteAt = now
    }
  } finally {
    following.close()
  }
}

async function textOf(
  context: Pick<Context, 'postgres' | 'now'>,
  { workspaceId, filter }: Listener,
  tick: Tick,
  gate: ReturnType<typeof openGate>,
): Promise<string> {
  const wanted = selectFrom(tick, filter)
  const count = wanted.events.length + wanted.rejections.length
  const allowed = gate(count, context.now())
  const events = wanted.events.slice(0, allowed)
  const rejections = wanted.rejections.slice(0, allowed - events.length)
  const profiles = await profilesOfEvents(context, workspaceId, events)
  const skipped = tick.missed + count - allowed
  return [
    ...events.map((event, index) => processedMessage(event, profiles[index] ?? null)),
    ...rejections.map(rejectedMessage),
    ...(skipped > 0 ? [skippedMessage(skipped)] : []),
  ].join('')
}
