/**
 * Drives the pipeline: takes batches from the log, has each processed in one transaction and then projected into
 * ClickHouse, and picks up after a crash where the last transaction stood.
 *
 * What happens to a batch is the caller's (`src/pipeline.ts`); here is only when, and what if it fails.
 */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { type Connection, isTransient, transaction } from '../store/postgres.ts'
import type { CommittedGroup } from './commit.ts'
import type { Interlude, Standstill } from './interlude.ts'
import { LeaseLost, openLease } from './lease.ts'
import { findPoison } from './poison.ts'
import { closeBlocks, findOpenBlocks, insertBlock, lastBlock, setAside, skipBlocks } from './store-pipeline.ts'
import { finishRebuilds } from './store-rebuild.ts'
import { openTaker, readRanges, type Taken } from './take.ts'

export interface Batch {
  block: number
  groups: CommittedGroup[]
  /** messageIds to leave out: they could not be processed. */
  excluded: ReadonlySet<string>
  /** Resolves once ClickHouse holds every earlier block. */
  projected(): Promise<void>
}

export interface Stages<Processed> {
  /** Writes everything that PostgreSQL learns from a batch, in the given transaction. */
  process(client: Connection, batch: Batch): Promise<Processed>
  /** The same batch after a restart: nothing is written, only what ClickHouse must learn is found again. */
  reprocess(client: Connection, batch: Batch): Promise<Processed>
  /** Writes everything that ClickHouse learns from it; repeating it under the same block changes nothing. */
  project(block: number, processed: Processed): Promise<void>
  /** What may have to be done between two blocks, in this order. */
  interludes: Interlude[]
  /** Drops what is kept in memory: a transaction failed, or what it was read from may have changed. */
  forget(): void
}

export interface Driver {
  /** Groups just committed in this process, so that they need not be read back. */
  offer(groups: CommittedGroup[]): void
  isReady(): boolean
  close(): Promise<void>
}

const BATCH_EVENTS_MAX = 10_000
/** How often the log is looked at when nothing is handed over in memory. */
const POLL_MS = 100
const RETRY_MS = 500

export function openDriver<Processed>(context: Context, stages: Stages<Processed>): Driver {
  const { postgres, log } = context
  const lease = openLease(postgres)
  const taker = openTaker(postgres)
  const bell = new EventTarget()
  const closing = new AbortController()
  let block = 0
  let projecting: { block: number; done: Promise<void> } | undefined

  const batchOf = (number: number, groups: CommittedGroup[], excluded: ReadonlySet<string>): Batch => ({
    block: number,
    groups,
    excluded,
    projected: async () => {
      await projecting?.done.catch(cause => {
        throw new ProjectionFailed('an earlier block is not in ClickHouse yet', { cause })
      })
    },
  })

  async function step(): Promise<boolean> {
    const state = await lease.ensure()
    if (state === 'elsewhere') return false
    if (state === 'new') await recover()
    for (const interlude of stages.interludes) await standStill(interlude)
    const taken = await taker.next(BATCH_EVENTS_MAX)
    if (!taken) {
      await finishProjecting()
      await finishRebuilds(postgres, new Date(context.now()))
      return false
    }
    block += 1
    const processed = await processTaken(taken)
    await finishProjecting()
    // Projected while the next batch is being processed; the two meet again before the next projection.
    projecting = { block, done: stages.project(block, processed) }
    projecting.done.catch(() => {})
    return true
  }

  /** Writes every block that ClickHouse may lack once more, under its own number. */
  async function recover() {
    taker.reset()
    stages.forget()
    projecting = undefined
    for (const open of await findOpenBlocks(postgres)) {
      const batch = batchOf(open.block, await readRanges(postgres, open.ranges), new Set(open.excluded))
      const processed = await transaction(postgres, client => stages.reprocess(client, batch))
      await stages.project(open.block, processed)
      await closeBlocks(postgres, [open.block])
    }
    block = await lastBlock(postgres)
  }

  /** Nothing is known of what an interlude changed, so everything is read anew after it. */
  async function standStill(interlude: Interlude) {
    const work = await interlude()
    if (!work) return
    await finishProjecting()
    const standstill: Standstill = {
      nextBlock: block + 1,
      signal: closing.signal,
      async hold() {
        closing.signal.throwIfAborted()
        if ((await lease.ensure()) !== 'held') throw new LeaseLost()
      },
      async seal(client, last) {
        if (last > block) await skipBlocks(client, last, new Date(context.now()))
        await lease.confirm(client)
      },
    }
    try {
      await work(standstill)
    } finally {
      taker.reset()
      stages.forget()
    }
    block = await lastBlock(postgres)
  }

  async function processTaken(taken: Taken): Promise<Processed> {
    const excluded = new Set<string>()
    for (;;) {
      try {
        return await commitBlock(batchOf(block, taken.groups, excluded), taken)
      } catch (error) {
        stages.forget()
        if (isTransient(error) || error instanceof LeaseLost || error instanceof ProjectionFailed) throw error
        const poison = await findPoison(messageIdsOf(taken, excluded), only => failsWith(taken, only))
        if (poison === undefined) throw error
        log.error({ block, error: describe(error) }, 'an event could not be processed and was set aside')
        excluded.add(poison)
      }
    }
  }

  const commitBlock = (batch: Batch, taken: Taken): Promise<Processed> =>
    transaction(postgres, async client => {
      await lease.confirm(client)
      const processed = await stages.process(client, batch)
      const at = new Date(context.now())
      const rows = messageIdsOf(taken, batch.excluded).length
      await insertBlock(client, { block: batch.block, ranges: taken.ranges, excluded: [...batch.excluded], rows, at })
      if (batch.excluded.size > 0) await setAside(client, at, excludedEvents(batch))
      return processed
    })

  async function failsWith(taken: Taken, only: Set<string>): Promise<boolean> {
    const excluded = new Set(messageIdsOf(taken, only))
    try {
      await transaction(postgres, async client => {
        await stages.process(client, batchOf(block, taken.groups, excluded))
        throw new RolledBack()
      })
    } catch (error) {
      if (isTransient(error)) throw error
      return !(error instanceof RolledBack)
    } finally {
      stages.forget()
    }
    return false
  }

  async function finishProjecting() {
    if (!projecting) return
    await projecting.done
    await closeBlocks(postgres, [projecting.block])
    projecting = undefined
  }

  async function run() {
    while (!closing.signal.aborted) {
      try {
        if (!(await step())) await rest(bell, closing.signal)
      } catch (error) {
        if (!isTransient(error) && !closing.signal.aborted)
          log.error({ block, error: describe(error) }, 'the pipeline failed and tries again')
        // The lease is taken anew, and with it everything is read again from where the last transaction stood.
        await lease.release()
        await pause(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {})
      }
    }
    await finishProjecting().catch(() => {})
    await lease.release().catch(() => {})
  }
  const running = run()

  return {
    offer(groups) {
      if (lease.isHeld()) taker.offer(groups)
      bell.dispatchEvent(new Event('offered'))
    },
    isReady: () => lease.isHeld(),
    async close() {
      closing.abort()
      await running
    },
  }
}

class ProjectionFailed extends Error {}

/** Thrown to undo a try. */
class RolledBack extends Error {}

async function rest(bell: EventTarget, closing: AbortSignal): Promise<void> {
  const woken = AbortSignal.any([closing, AbortSignal.timeout(POLL_MS)])
  await once(bell, 'offered', { signal: woken }).catch(() => {})
}

const messageIdsOf = (taken: Taken, without: ReadonlySet<string>): string[] =>
  taken.groups.flatMap(group => group.events.map(event => event.messageId).filter(id => !without.has(id)))

const excludedEvents = (batch: Batch) =>
  batch.groups.flatMap(group =>
    group.events.flatMap((event, index) =>
      batch.excluded.has(event.messageId)
        ? { workspaceId: group.workspaceId, lane: group.lane, source: event.source, line: group.lines[index] as string }
        : [],
    ),
  )

/** Name and code, never the message: it may quote a value. */
const describe = (error: unknown) => ({
  name: (error as Error).name,
  code: (error as { code?: string }).code,
  at: (error as Error).stack?.split('\n')[1]?.trim(),
})
