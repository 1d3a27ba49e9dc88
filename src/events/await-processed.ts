/** Waits until what was accepted can be read: the place in the log comes in, nothing goes out but time. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Queryable } from '../store/postgres.ts'
import { isProcessed } from './store-pipeline.ts'

const POLL_MS = 10
const TIMEOUT_MS = 20_000

export interface LogPosition {
  lane: number
  pos: number
}

/** Resolves to true once profiles and ClickHouse hold everything up to `position`, false after 20 s. */
export async function awaitProcessed(client: Queryable, position: LogPosition): Promise<boolean> {
  for (let waited = 0; waited < TIMEOUT_MS; waited += POLL_MS) {
    if (await isProcessed(client, position.lane, position.pos)) return true
    await pause(POLL_MS)
  }
  return false
}
