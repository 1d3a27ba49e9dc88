/**
 * The right to be the pipeline. A lock of one connection holds it, so that it falls the moment its process dies; an
 * epoch, which grows with each new holder, proves it in every transaction.
 */
import type { Postgres, Queryable } from '../store/postgres.ts'
import { confirmEpoch, nextEpoch, tryPipelineLock } from './store-pipeline.ts'

export class LeaseLost extends Error {}

export interface Lease {
  /** Takes it where it is free: 'new' when it has just become ours. */
  ensure(): Promise<'held' | 'new' | 'elsewhere'>
  /** Throws LeaseLost unless it is ours until this transaction ends. */
  confirm(client: Queryable): Promise<void>
  isHeld(): boolean
  /** Gives it back; taking it again begins a new epoch. */
  release(): Promise<void>
}

export function openLease(postgres: Postgres): Lease {
  let held: { epoch: number; end(error?: Error): void } | undefined

  async function take(): Promise<boolean> {
    const client = await postgres.connect()
    let isOver = false
    const end = (error?: Error) => {
      if (isOver) return
      isOver = true
      if (held?.end === end) held = undefined
      // Closed, not handed back: the lock belongs to the connection.
      client.release(error ?? true)
    }
    client.on('error', end)
    try {
      if (!(await tryPipelineLock(client))) {
        isOver = true
        client.release()
        return false
      }
      held = { epoch: await nextEpoch(client), end }
      return true
    } catch (error) {
      end(error as Error)
      throw error
    }
  }

  return {
    async ensure() {
      if (held) return 'held'
      return (await take()) ? 'new' : 'elsewhere'
    },
    async confirm(client) {
      if (!held || !(await confirmEpoch(client, held.epoch))) throw new LeaseLost()
    },
    isHeld: () => held !== undefined,
    async release() {
      held?.end()
    },
  }
}
