/** Reads a person's events from ClickHouse, a page at a time. */
import type { Event } from '../spec/event.ts'
import type { ClickHouse } from '../store/clickhouse.ts'
import { compileSharedCount, compileTimeline, type TimelineFilter, type TimelineOwner } from './compile-timeline.ts'

/** Newest first; each is the event exactly as the log holds it. */
export async function readTimeline(
  clickhouse: ClickHouse,
  owner: TimelineOwner,
  filter: TimelineFilter,
): Promise<Event[]> {
  if (owner.nodes.length === 0 && owner.shared.length === 0) return []
  const { sql, params } = compileTimeline(owner, filter)
  const rows = await clickhouse.query<{ body: string }>(sql, params)
  return rows.map(row => JSON.parse(row.body) as Event)
}

/** Events of shared devices that are this person's: their counters cannot tell whose they were. */
export async function countShared(
  clickhouse: ClickHouse,
  owner: TimelineOwner,
): Promise<{ events: number; firstAt: number; lastAt: number } | undefined> {
  if (owner.shared.length === 0) return undefined
  const { sql, params } = compileSharedCount(owner)
  const [row] = await clickhouse.query<{ events: number; first_at: number; last_at: number }>(sql, params)
  return row && row.events > 0 ? { events: row.events, firstAt: row.first_at, lastAt: row.last_at } : undefined
}
