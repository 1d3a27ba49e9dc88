/** SQL of the log by days, of its archive, and of what expires. */
import type { Queryable } from '../store/postgres.ts'
import type { LogFrame } from './archive-frame.ts'

/** Days of the log, oldest first; a day is processed when no lane and no open block needs it any more. */
export async function listLogPartitions(
  client: Queryable,
): Promise<{ name: string; day: string; isProcessed: boolean }[]> {
  const partitions = await client.query<{ name: string; day: string }>(`
    select relname as name, to_char(to_date(substr(relname, 5), 'YYYYMMDD'), 'YYYY-MM-DD') as day
    from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'events.log'::regclass
    order by relname`)
  const result = []
  for (const { name, day } of partitions.rows) {
    const waiting = await client.query(`
      select 1 from (select lane, max(pos) as pos from events.${partitionName(name)} group by lane) as last
      left join events.cursor using (lane)
      where cursor.pos is null or cursor.pos < last.pos
        or exists (
          select 1 from events.block, jsonb_to_recordset(ranges) as span (lane int, "from" bigint, "to" bigint)
          where is_open and span.lane = last.lane and span."from" <= last.pos
        )`)
    result.push({ name, day, isProcessed: waiting.rowCount === 0 })
  }
  return result
}

const PARTITION_NAME = /^log_\d{8}$/

/** Names of tables cannot be parameters; this one is checked against its only shape. */
function partitionName(name: string): string {
  if (!PARTITION_NAME.test(name)) throw new Error('not a partition of the log')
  return name
}

export async function workspacesInDay(client: Queryable, partition: string): Promise<number[]> {
  const result = await client.query<{ workspace_id: number }>(
    `select distinct workspace_id from events.${partitionName(partition)} order by workspace_id`,
  )
  return result.rows.map(row => row.workspace_id)
}

export async function readLogDay(
  client: Queryable,
  partition: string,
  workspaceId: number,
  after: { lane: number; pos: number },
  limit: number,
): Promise<LogFrame[]> {
  const result = await client.query<LogFrame>(
    `
      select workspace_id as "workspaceId", lane, pos, events, received_at as "receivedAt", body
      from events.${partitionName(partition)}
      where workspace_id = $1 and (lane, pos) > ($2, $3)
      order by lane, pos
      limit $4`,
    [workspaceId, after.lane, after.pos, limit],
  )
  return result.rows
}

export async function dropLogPartition(client: Queryable, partition: string): Promise<void> {
  await client.query(`drop table events.${partitionName(partition)}`)
}

/** Days as YYYY-MM-DD. */
export async function ensureLogDays(client: Queryable, days: string[]): Promise<void> {
  await client.query('select events.ensure_log_partition(day) from unnest($1::date[]) as day', [days])
}

export async function insertLogRows(client: Queryable, rows: LogFrame[]): Promise<void> {
  await ensureLogDays(client, [...new Set(rows.map(row => row.receivedAt.toISOString().slice(0, 10)))])
  await client.query(
    `
      insert into events.log (workspace_id, lane, pos, events, received_at, body)
      select * from unnest($1::int[], $2::smallint[], $3::bigint[], $4::int[], $5::timestamptz[], $6::bytea[])
      on conflict do nothing`,
    [
      rows.map(row => row.workspaceId),
      rows.map(row => row.lane),
      rows.map(row => row.pos),
      rows.map(row => row.events),
      rows.map(row => row.receivedAt),
      rows.map(row => row.body),
    ],
  )
}

/** Forgets message ids that arrived before a day, a slice at a time; returns how many. */
export async function expireMessages(client: Queryable, before: string, limit: number): Promise<number> {
  const result = await client.query(
    `
      delete from events.dedupe where (workspace_id, message) in (
        select workspace_id, message from events.dedupe where day < $1::date order by day limit $2
      )`,
    [before, limit],
  )
  return result.rowCount ?? 0
}

export async function expireRejections(client: Queryable, before: Date, limit: number): Promise<number> {
  const result = await client.query(
    `
      delete from events.rejected where (workspace_id, id) in (
        select workspace_id, id from events.rejected where received_at < $1 order by id limit $2
      )`,
    [before, limit],
  )
  return result.rowCount ?? 0
}

/** Minutes of the accounting become hours; the sums stay. */
export async function compactAccounting(client: Queryable, before: Date, limit: number): Promise<number> {
  const result = await client.query(
    `
      with taken as (
        delete from events.accounting where (workspace_id, source, minute, lane, outcome) in (
          select workspace_id, source, minute, lane, outcome from events.accounting
          where minute < $1 and minute <> date_trunc('hour', minute)
          order by minute limit $2
        )
        returning workspace_id, source, minute, lane, outcome, events
      )
      insert into events.accounting (workspace_id, source, minute, lane, outcome, events)
      select workspace_id, source, date_trunc('hour', minute), lane, outcome, sum(events)
      from taken
      group by workspace_id, source, date_trunc('hour', minute), lane, outcome
      on conflict (workspace_id, source, minute, lane, outcome) do update set events = accounting.events + excluded.events`,
    [before, limit],
  )
  return result.rowCount ?? 0
}

/** Closed blocks are needed for nothing but the number of the last one, and what was set aside: history is read without it. */
export async function expireBlocks(client: Queryable, before: Date): Promise<void> {
  await client.query(
    `
      delete from events.block
      where not is_open and excluded = '{}' and at < $1 and block < (select max(block) from events.block)`,
    [before],
  )
}
