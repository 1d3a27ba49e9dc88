/**
 * Batches of rows in; they go to the log several at a time, and are reported in their order once they are durable. While
 * the log is overloaded or its database away, they wait and are sent again.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { Acceptance } from '../events/index.ts'
import type { SealedBatch } from './batch.ts'

/** Under way at once: enough that reading and committing overlap, few enough that other events are not kept waiting. */
const FLIGHTS_MAX = 4
const BACKOFF_MS = 250
const BACKOFF_MS_MAX = 5_000

export interface Sender {
  /** Resolves when there is room for the next. Throws what the log threw, unless waiting may help. */
  send(batch: SealedBatch): Promise<void>
  /** Resolves when nothing is under way. */
  drain(): Promise<void>
}

interface Flight {
  batch: SealedBatch
  acceptance?: Acceptance
  settled: Promise<void>
}

/** `onDurable` hears of batches in their order, and of none behind one that was not accepted. */
export function openSender(
  { accepter }: Pick<Context, 'accepter'>,
  signal: AbortSignal,
  onDurable: (batch: SealedBatch, acceptance: Acceptance) => void,
): Sender {
  const flying: Flight[] = []
  let failure: unknown

  async function deliver(flight: Flight): Promise<void> {
    for (let attempt = 0; failure === undefined; attempt += 1) {
      try {
        flight.acceptance = await accepter.accept(flight.batch.submission)
        return
      } catch (error) {
        if (!mayPass(error)) throw error
        await pause(Math.min(BACKOFF_MS * 2 ** attempt, BACKOFF_MS_MAX), undefined, { signal })
      }
    }
  }
  const land = () => {
    for (let head = flying[0]; head?.acceptance; head = flying[0]) {
      flying.shift()
      onDurable(head.batch, head.acceptance)
    }
  }
  const settle = async (flight: Flight) => {
    await deliver(flight).catch(error => {
      failure ??= error
    })
    land()
  }

  return {
    async send(batch) {
      const flight: Flight = { batch, settled: Promise.resolve() }
      flying.push(flight)
      flight.settled = settle(flight)
      while (flying.length >= FLIGHTS_MAX && failure === undefined) await flying[0]?.settled
      if (failure !== undefined) throw failure
    },
    async drain() {
      await Promise.all(flying.map(flight => flight.settled))
      if (failure !== undefined) throw failure
    },
  }
}

const mayPass = (error: unknown) =>
  error instanceof Problem && (error.code === 'overloaded' || error.code === 'unavailable')
