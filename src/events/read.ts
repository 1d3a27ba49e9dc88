/** Reads a person's events from ClickHouse, a page at a time. */
import type { Event, EventType } from '../spec/event.ts'
import type { ClickHouse } from '../store/clickhouse.ts'
import {
  compileHistory,
  compileSharedCount,
  compileTimeline,
  type TimelineFilter,
  type TimelineOwner,
} from './compile-timeline.ts'

/** Newest first; each is the event exactly as the log holds it. */
export async function readTimeline(
  clickhouse: ClickHouse,
  owner: TimelineOwner,
  filter: TimelineFilter,
): Promise<Event[]> {
  if (owner.nodes.length === 0 && owner.shared.length === 0 && owner.groupId === undefined) return []
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

/** A past event by the nodes that it was resolved to. */
export interface PastEvent {
  messageId: string
  /** Epoch ms. */
  at: number
  type: EventType
  source: string
  hub: number
  nodes: number[]
}

/** Every event that carried a device, each of which hangs on it or on one of the partners. */
export async function readHistory(
  clickhouse: ClickHouse,
  workspaceId: number,
  device: number,
  partners: number[],
): Promise<PastEvent[]> {
  const { sql, params } = compileHistory(workspaceId, device, partners)
  return clickhouse.query<PastEvent>(sql, params, { timeoutMs: HISTORY_TIMEOUT_MS })
}

const HISTORY_TIMEOUT_MS = 60_000
