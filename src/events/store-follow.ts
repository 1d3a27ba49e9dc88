/** SQL of what a live view follows: blocks as they are processed, their events of one workspace, and rejections. */
import type { Queryable } from '../store/postgres.ts'
import type { LaneRange } from './store-pipeline.ts'

export interface ProcessedBlock {
  block: number
  ranges: LaneRange[]
  excluded: string[]
  at: Date
}

/** Blocks are numbered by the one process that holds the lease, in the order of their commits: none comes late. */
export async function readBlocksAfter(client: Queryable, block: number, limit: number): Promise<ProcessedBlock[]> {
  const result = await client.query<ProcessedBlock>({
    name: 'events-read-blocks-after',
    text: 'select block, ranges, excluded, at from events.block where block > $1 order by block limit $2',
    values: [block, limit],
  })
  return result.rows
}

export interface FollowedGroup {
  events: number
  /** Null beyond `eventsMax` events: counted, not read. */
  body: Buffer | null
}

/** What these blocks hold of a workspace. What a rebuild takes from the log once more did not arrive, and is left out. */
export async function readGroupsOf(
  client: Queryable,
  workspaceId: number,
  blocks: ProcessedBlock[],
  eventsMax: number,
): Promise<FollowedGroup[]> {
  const spans = blocks.flatMap(({ block, ranges, at }) => ranges.map(range => ({ ...range, block, at })))
  const result = await client.query<FollowedGroup>({
    name: 'events-read-groups-of',
    text: `
      with span as (
        select block, lane, "from", "to", at
        from jsonb_to_recordset($2::jsonb)
          as span (block bigint, lane smallint, "from" bigint, "to" bigint, at timestamptz)
      ), found as (
        select log.events, log.body, span.block, log.lane, log.pos,
          sum(log.events) over (order by span.block, log.lane, log.pos) as total
        from span
        join events.log on log.lane = span.lane and log.pos between span."from" and span."to"
        where log.workspace_id = $1
          and not exists (
            select 1 from events.rebuild
            where rebuild.started_at <= span.at
              and (rebuild.finished_at is null or rebuild.finished_at >= span.at)
              and (rebuild.target ->> log.lane::text)::bigint >= log.pos
          )
      )
      select events, case when total - events < $3 then body end as body
      from found
      order by block, lane, pos`,
    values: [workspaceId, JSON.stringify(spans), eventsMax],
  })
  return result.rows
}

export interface FollowedRejection {
  id: number
  source: string
  reason: string
  detail: string
  receivedAt: Date
}

export async function lastRejection(client: Queryable, workspaceId: number): Promise<number> {
  const result = await client.query<{ id: number }>(
    'select coalesce(max(id), 0)::bigint as id from events.rejected where workspace_id = $1',
    [workspaceId],
  )
  return result.rows[0]?.id ?? 0
}

/**
 * Rejections above `after` but for those in `seen`; the newest where there are more than `limit`, and how many there are.
 * Several lanes commit at the same time, so a lower id may appear after a higher one.
 */
export async function readRejectionsAfter(
  client: Queryable,
  workspaceId: number,
  { after, seen, limit }: { after: number; seen: number[]; limit: number },
): Promise<{ rejections: FollowedRejection[]; total: number }> {
  const result = await client.query<FollowedRejection & { total: number }>({
    name: 'events-read-rejections-after',
    text: `
      select id, source, reason, detail, received_at as "receivedAt", count(*) over () as total
      from events.rejected
      where workspace_id = $1 and id > $2 and id <> all ($3::bigint[])
      order by id desc
      limit $4`,
    values: [workspaceId, after, seen, limit],
  })
  const rejections = result.rows.reverse().map(({ total: _, ...rejection }) => rejection)
  return { rejections, total: result.rows[0]?.total ?? 0 }
}
