/** Days of the log hold still while somebody reads them: a piece of work comes in, and is done under the lock on days. */
import type { Connection, Postgres } from '../store/postgres.ts'
import { type Hold, holdDays, releaseDays } from './store-history.ts'

/** Readers of log and archive share, who moves days between them is alone. Undefined: others hold them; ask again later. */
export async function whileHoldingDays<T>(
  postgres: Postgres,
  hold: Hold,
  work: (client: Connection) => Promise<T>,
): Promise<{ result: T } | undefined> {
  const client = await postgres.connect()
  let isHeld = false
  try {
    isHeld = await holdDays(client, hold)
    return isHeld ? { result: await work(client) } : undefined
  } finally {
    // A connection that cannot let go is closed, which lets go.
    const broken = isHeld ? await releaseDays(client, hold).catch((cause: Error) => cause) : undefined
    client.release(broken ?? false)
  }
}
