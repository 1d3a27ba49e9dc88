/**
 * The durable accept: parsed requests come in, and each is answered after one committed, fsynced transaction that
 * holds its events. One connection is one lane with one writer, so the order in a lane is its commit order.
 */
import pg from 'pg'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { isConnectionLost, type PostgresTarget } from '../store/postgres.ts'
import { type Acceptance, type CommittedGroup, commitSubmissions, type Submission } from './commit.ts'
import { ensureLogPartitions, takeLane } from './store.ts'

export interface Accepter {
  /** Resolves once the submission is durable. Throws `unavailable` or `overloaded`; then nothing may have been kept. */
  accept(submission: Submission): Promise<Acceptance>
  isReady(): boolean
  /** Stores what is queued, then gives the lane back. */
  close(): Promise<void>
}

const GATHER_MS = 5
const GATHER_EVENTS = 256
/** One transaction takes at most so much of the queue, so that no request waits for a giant one. */
const COMMIT_EVENTS_MAX = 5_000
/** Beyond this the process says 429 instead of growing. */
const QUEUE_BYTES_MAX = 64 * 1024 * 1024
const RECONNECT_MS = 250
const RETRY_AFTER_SECONDS = 2

interface Waiting {
  submission: Submission
  resolve(acceptance: Acceptance): void
  reject(error: Error): void
}

/** Opens a lane. `onCommitted` gets each group in commit order, once its answer may be sent. */
export function openAccepter(
  context: Pick<Context, 'now' | 'log'>,
  target: PostgresTarget,
  onCommitted: (groups: CommittedGroup[]) => void,
): Accepter {
  const queue = openQueue()
  const lane = openLane(context, target)
  let isClosing = false

  async function commit(batch: Waiting[]) {
    try {
      const submissions = batch.map(waiting => waiting.submission)
      const { acceptances, groups } = await lane.commit(submissions)
      for (const [index, waiting] of batch.entries()) waiting.resolve(acceptances[index] as Acceptance)
      onCommitted(groups)
    } catch (error) {
      if (!isConnectionLost(error))
        context.log.error({ code: (error as { code?: string }).code }, 'commit of a group failed')
      // Whether the commit reached the disk may be unknown: the client tries again, and duplicates are dropped then.
      const problem = new Problem('unavailable', 'The database cannot be reached just now.', {
        hint: 'Send the same request again; what was kept already is recognised by its messageId.',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        cause: error,
      })
      for (const waiting of batch) waiting.reject(problem)
      lane.drop()
      await lane.reconnect()
    }
  }

  async function run() {
    await lane.reconnect()
    while (!isClosing || queue.length() > 0) {
      await queue.gathered(() => isClosing)
      const batch = queue.take()
      if (batch.length > 0) await commit(batch)
    }
  }
  const running = run()

  return {
    accept(submission) {
      const refusal = isClosing ? 'The server is stopping.' : undefined
      if (refusal)
        return Promise.reject(new Problem('unavailable', refusal, { retryAfterSeconds: RETRY_AFTER_SECONDS }))
      return new Promise((resolve, reject) => {
        if (queue.put({ submission, resolve, reject })) return
        reject(
          new Problem('overloaded', 'More events arrive than can be stored just now.', {
            retryAfterSeconds: RETRY_AFTER_SECONDS,
          }),
        )
      })
    },
    isReady: () => lane.isOpen(),
    async close() {
      isClosing = true
      queue.wake()
      await running
      await lane.close()
    },
  }
}

/** The one connection that writes a lane, taken again (or another lane) whenever it is lost. */
function openLane(context: Pick<Context, 'now' | 'log'>, target: PostgresTarget) {
  let connection: { client: pg.Client; lane: number; pos: number; partitionDay: string } | undefined

  async function connect() {
    const client = new pg.Client({ ...target, keepAlive: true })
    client.on('error', () => {
      if (connection?.client === client) connection = undefined
    })
    await client.connect()
    connection = { client, ...(await takeLane(client)), partitionDay: '' }
  }

  const drop = () => {
    connection?.client.end().catch(() => {})
    connection = undefined
  }
  return {
    isOpen: () => connection !== undefined,
    drop,
    /** Tries once; a failed try waits a little, so that callers may simply call again. */
    async reconnect() {
      if (connection) return
      await connect().catch(async () => {
        drop()
        await new Promise(resolve => setTimeout(resolve, RECONNECT_MS))
      })
    },
    async commit(submissions: Submission[]) {
      if (!connection) await connect()
      const open = connection as NonNullable<typeof connection>
      const now = context.now()
      const day = new Date(now).toISOString().slice(0, 10)
      if (open.partitionDay !== day) await ensureLogPartitions(open.client, day)
      open.partitionDay = day
      return commitSubmissions(open, submissions, now)
    },
    async close() {
      await connection?.client.end().catch(() => {})
    },
  }
}

/** First in, first out, bounded in bytes; says when enough has gathered for a commit. */
function openQueue() {
  const waiting: Waiting[] = []
  let bytes = 0
  let events = 0
  /** Since when the oldest waits: what gathered while the commit before was under way has waited enough. */
  let since = 0
  let stir: (() => void) | undefined
  const isEnough = () => events >= GATHER_EVENTS
  const next = (timeoutMs?: number) =>
    new Promise<void>(resolve => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(done, timeoutMs)
      function done() {
        clearTimeout(timer)
        stir = undefined
        resolve()
      }
      stir = done
    })
  return {
    length: () => waiting.length,
    wake: () => stir?.(),
    /** False when the queue is full. A single large request is always let in. */
    put(item: Waiting): boolean {
      const size = bytesOf(item.submission)
      if (bytes + size > QUEUE_BYTES_MAX && waiting.length > 0) return false
      if (waiting.length === 0) since = performance.now()
      waiting.push(item)
      bytes += size
      events += eventsOf(item.submission)
      if (waiting.length === 1 || isEnough()) stir?.()
      return true
    },
    /** Resolves once something is queued and either enough of it or 5 ms have gathered. */
    async gathered(isClosing: () => boolean) {
      while (waiting.length === 0 && !isClosing()) await next()
      const gatherMs = since + GATHER_MS - performance.now()
      if (gatherMs > 0 && !isEnough() && !isClosing()) await next(gatherMs)
    },
    take(): Waiting[] {
      let count = 0
      let taken = 0
      for (const { submission } of waiting) {
        if (taken >= COMMIT_EVENTS_MAX) break
        count += 1
        taken += eventsOf(submission)
        bytes -= bytesOf(submission)
      }
      const batch = waiting.splice(0, count)
      events -= taken
      return batch
    },
  }
}

const eventsOf = (submission: Submission) => submission.events.length + submission.rejections.length

function bytesOf(submission: Submission): number {
  let bytes = 0
  for (const line of submission.lines) bytes += line.length
  for (const rejection of submission.rejections) bytes += rejection.payload.length
  return bytes
}
