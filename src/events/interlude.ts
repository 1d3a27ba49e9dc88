/** Work that must not meet a block: rebuilding, applying changed rules. It runs between two blocks. */
import type { Connection } from '../store/postgres.ts'

/** The pipeline while it stands still: every block so far is in ClickHouse, and none begins. */
export interface Standstill {
  /** The first block number that is free. */
  nextBlock: number
  /** Aborts when the program stops. */
  signal: AbortSignal
  /** Keeps the pipeline ours; to be called every few seconds. Throws when it was lost, or when the program stops. */
  hold(): Promise<void>
  /** The last words of a transaction: proves that the pipeline is ours, and takes the numbers up to `lastBlock` out of use. */
  seal(client: Connection, lastBlock: number): Promise<void>
}

/** Asked before each block: the work to do now, if any. Cut off anywhere, it is asked again and does it again. */
export type Interlude = () => Promise<((standstill: Standstill) => Promise<void>) | undefined>
