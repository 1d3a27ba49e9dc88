/** SQL of reading a workspace's log from the beginning: rows up to the cursors, what was set aside, and the lock on days. */
import type { Queryable } from '../store/postgres.ts'
import type { LaneRange, LogRow } from './store-pipeline.ts'

/** Days move between the log and the archive under this lock; whoever reads both shares it. */
const HISTORY_LOCK = 7072

export type Hold = 'shared' | 'exclusive'
const suffixes: Record<Hold, string> = { shared: '_shared', exclusive: '' }

/** For this connection until `releaseDays`; false while somebody else's hold is in the way. */
export async function holdDays(client: Queryable, hold: Hold): Promise<boolean> {
  const result = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock${suffixes[hold]}($1) as taken`, [
    HISTORY_LOCK,
  ])
  return result.rows[0]?.taken === true
}

export async function releaseDays(client: Queryable, hold: Hold): Promise<void> {
  await client.query(`select pg_advisory_unlock${suffixes[hold]}($1)`, [HISTORY_LOCK])
}

/** What of the log is read: a workspace's rows but those of days that are in the archive (a move was cut off). */
export interface LogExtent {
  workspaceId: number
  cursor: Map<number, number>
  /** YYYY-MM-DD. */
  archivedDays: string[]
}

/** Events in the log, up to the cursors. */
export async function countLogged(
  client: Queryable,
  { workspaceId, cursor, archivedDays }: LogExtent,
): Promise<number> {
  const result = await client.query<{ events: number }>(
    `
      select coalesce(sum(events), 0)::bigint as events
      from events.log join unnest($2::smallint[], $3::bigint[]) as cursor (lane, pos) using (lane)
      where workspace_id = $1 and log.pos <= cursor.pos
        and (received_at at time zone 'UTC')::date <> all ($4::date[])`,
    [workspaceId, [...cursor.keys()], [...cursor.values()], archivedDays],
  )
  return result.rows[0]?.events ?? 0
}

/** The next rows of a lane, as many as hold about `eventsMax` events; at least one while there are any. */
export async function readLogOf(
  client: Queryable,
  { workspaceId, archivedDays }: LogExtent,
  range: LaneRange,
  eventsMax: number,
): Promise<LogRow[]> {
  const result = await client.query<LogRow>({
    name: 'events-read-log-of',
    text: `
      with next as (
        select workspace_id, lane, pos, body, events, sum(events) over (order by pos) as total
        from (
          select workspace_id, lane, pos, body, events from events.log
          where workspace_id = $1 and lane = $2 and pos >= $3 and pos <= $4
            and (received_at at time zone 'UTC')::date <> all ($6::date[])
          order by pos
          limit $5
        ) as slice
      )
      select workspace_id, lane, pos, body from next
      where total - events < $5
      order by pos`,
    values: [workspaceId, range.lane, range.from, range.to, eventsMax, archivedDays],
  })
  return result.rows
}

/** Messages that could not be processed, each list with the places in the log that it speaks of. */
export async function readSetAside(client: Queryable): Promise<{ ranges: LaneRange[]; excluded: string[] }[]> {
  const result = await client.query<{ ranges: LaneRange[]; excluded: string[] }>(
    `select ranges, excluded from events.block where excluded <> '{}' order by block`,
  )
  return result.rows
}
