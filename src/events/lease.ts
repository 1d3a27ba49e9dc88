/** The right to be the pipeline: one process holds it, by the database's clock, and its epoch proves it in every transaction. */
import type { Context } from '../context.ts'
import type { Queryable } from '../store/postgres.ts'
import { confirmLease, holdLease, releaseLease } from './store-pipeline.ts'

const NAME = 'pipeline'
const SECONDS = 15
const RENEW_MS = 5_000

export class LeaseLost extends Error {}

export interface Lease {
  /** Takes or renews it where that is due: 'new' when it has just become ours. */
  ensure(): Promise<'held' | 'new' | 'elsewhere'>
  /** Throws LeaseLost unless it is ours until this transaction ends. */
  confirm(client: Queryable): Promise<void>
  isHeld(): boolean
  drop(): void
  release(): Promise<void>
}

export function openLease({ postgres, now, uuid }: Pick<Context, 'postgres' | 'now' | 'uuid'>): Lease {
  const owner = uuid()
  let held: { epoch: number; renewAt: number } | undefined
  return {
    async ensure() {
      const at = now()
      if (held && at < held.renewAt) return 'held'
      const epoch = await holdLease(postgres, NAME, owner, SECONDS)
      const isNew = epoch !== held?.epoch
      held = epoch === undefined ? undefined : { epoch, renewAt: at + RENEW_MS }
      if (!held) return 'elsewhere'
      return isNew ? 'new' : 'held'
    },
    async confirm(client) {
      if (!held || !(await confirmLease(client, NAME, held.epoch))) throw new LeaseLost()
    },
    isHeld: () => held !== undefined,
    drop() {
      held = undefined
    },
    async release() {
      held = undefined
      await releaseLease(postgres, NAME, owner)
    },
  }
}
