/** SQL of the pipeline: what it has taken from the log, its blocks, its lease. */
import type { Queryable } from '../store/postgres.ts'

export async function readCursor(client: Queryable): Promise<Map<number, number>> {
  const result = await client.query<{ lane: number; pos: number }>('select lane, pos from events.cursor order by lane')
  return new Map(result.rows.map(row => [row.lane, row.pos]))
}

/** Lanes that hold more than was taken from them. */
export async function findBehind(
  client: Queryable,
  cursor: Map<number, number>,
): Promise<{ lane: number; pos: number }[]> {
  const result = await client.query<{ lane: number; pos: number }>('select lane, pos from events.lane order by lane')
  return result.rows.filter(row => row.pos > (cursor.get(row.lane) ?? 0))
}

export interface LogRow {
  workspace_id: number
  lane: number
  pos: number
  body: Buffer
}

/** Rows of a lane from a position on (to `to`, or as many as hold about `eventsMax` events; at least one). */
export async function readLog(
  client: Queryable,
  range: { lane: number; from: number; to: number | null },
  eventsMax: number,
): Promise<LogRow[]> {
  const result = await client.query<LogRow>({
    name: 'events-read-log',
    text: `
      with next as (
        select workspace_id, lane, pos, body, events, sum(events) over (order by pos) as total
        from (
          select workspace_id, lane, pos, body, events from events.log
          where lane = $1 and pos >= $2 and ($3::bigint is null or pos <= $3)
          order by pos
          limit $5
        ) as slice
      )
      select workspace_id, lane, pos, body from next
      where total - events < $4
      order by pos`,
    values: [range.lane, range.from, range.to, eventsMax, LOG_ROWS_MAX],
  })
  return result.rows
}

/** Rows of the log read at once. */
const LOG_ROWS_MAX = 20_000

export interface LaneRange {
  lane: number
  from: number
  to: number
}

export interface BlockRow {
  block: number
  ranges: LaneRange[]
  excluded: string[]
}

/** Opens the next block and moves the cursors over it, in the transaction that writes what it changed. */
export async function insertBlock(client: Queryable, row: BlockRow & { rows: number; at: Date }): Promise<void> {
  await client.query({
    name: 'events-insert-block',
    text: `
      with moved as (
        insert into events.cursor (lane, pos)
        select lane, pos from unnest($5::smallint[], $6::bigint[]) as item (lane, pos)
        on conflict (lane) do update set pos = excluded.pos
      )
      insert into events.block (block, ranges, excluded, rows, is_open, at) values ($1, $2, $3, $4, true, $7)`,
    values: [
      row.block,
      JSON.stringify(row.ranges),
      row.excluded,
      row.rows,
      row.ranges.map(range => range.lane),
      row.ranges.map(range => range.to),
      row.at,
    ],
  })
}

/** Takes block numbers up to this one out of use, for what is written between two blocks. */
export async function skipBlocks(client: Queryable, block: number, at: Date): Promise<void> {
  await client.query(
    `insert into events.block (block, ranges, rows, is_open, at) values ($1, '[]', 0, false, $2) on conflict do nothing`,
    [block, at],
  )
}

export async function closeBlocks(client: Queryable, blocks: number[]): Promise<void> {
  await client.query('update events.block set is_open = false where block = any ($1::bigint[])', [blocks])
}

/** Every block before this one is in ClickHouse for good. */
export async function oldestNeededBlock(client: Queryable): Promise<number> {
  const result = await client.query<{ block: number }>(
    'select coalesce(min(block) filter (where is_open), max(block), 0) as block from events.block',
  )
  return result.rows[0]?.block ?? 0
}

export async function findOpenBlocks(client: Queryable): Promise<BlockRow[]> {
  const result = await client.query<BlockRow>(
    'select block, ranges, excluded from events.block where is_open order by block',
  )
  return result.rows
}

export async function lastBlock(client: Queryable): Promise<number> {
  const result = await client.query<{ block: number }>('select coalesce(max(block), 0) as block from events.block')
  return result.rows[0]?.block ?? 0
}

/** Key of the advisory lock of whoever is the pipeline. */
const PIPELINE_LOCK = 7_070_070_709

/** False while another connection holds it. */
export async function tryPipelineLock(client: Queryable): Promise<boolean> {
  const result = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [PIPELINE_LOCK])
  return result.rows[0]?.taken ?? false
}

export async function nextEpoch(client: Queryable): Promise<number> {
  const result = await client.query<{ epoch: number }>(`
    insert into events.epoch (name, epoch) values ('pipeline', 1)
    on conflict (name) do update set epoch = epoch.epoch + 1
    returning epoch`)
  return result.rows[0]?.epoch ?? 0
}

/** False when another holder has begun an epoch since; none can begin until this transaction ends. */
export async function confirmEpoch(client: Queryable, epoch: number): Promise<boolean> {
  const result = await client.query(`select 1 from events.epoch where name = 'pipeline' and epoch = $1 for share`, [
    epoch,
  ])
  return result.rowCount === 1
}

/** Moves events that could not be processed from stored to rejected, in the accounting and in fact. */
export async function setAside(
  client: Queryable,
  at: Date,
  events: { workspaceId: number; lane: number; source: string; line: string }[],
): Promise<void> {
  for (const event of events) {
    await client.query(
      `
        with counted as (
          insert into events.accounting (workspace_id, source, minute, lane, outcome, events)
          select $1, $2, date_trunc('minute', $3::timestamptz), $4, outcome, events
          from (values ('stored', -1), ('processing_failed', 1)) as item (outcome, events)
          on conflict (workspace_id, source, minute, lane, outcome) do update set events = accounting.events + excluded.events
        )
        insert into events.rejected (workspace_id, source, received_at, reason, detail, payload)
        values ($1, $2, $3, 'processing_failed', 'The event was stored but could not be processed.', $5)`,
      [event.workspaceId, event.source, at, event.lane, Buffer.from(event.line)],
    )
  }
}

/** How far each lane of the log has been written and processed; used to wait for one's own write. */
export async function isProcessed(client: Queryable, lane: number, pos: number): Promise<boolean> {
  const result = await client.query(
    `
      select 1 from events.cursor
      where lane = $1 and pos >= $2
        and not exists (
          select 1 from events.block, jsonb_to_recordset(ranges) as span (lane int, "from" bigint, "to" bigint)
          where is_open and span.lane = $1 and span."from" <= $2
        )`,
    [lane, pos],
  )
  return result.rowCount === 1
}
