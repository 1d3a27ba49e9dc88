/** All SQL of the log, its duplicates, rejections and accounting. */
import type { Queryable } from '../store/postgres.ts'

/** First key of the advisory lock that makes a connection the one writer of a lane; the second is the lane. */
const LANE_LOCK = 7070
const LANES_MAX = 1024

/** Makes this connection the writer of the first free lane. The lock falls when the connection does. */
export async function takeLane(client: Queryable): Promise<{ lane: number; pos: number }> {
  for (let lane = 1; lane <= LANES_MAX; lane += 1) {
    const lock = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
      LANE_LOCK,
      lane,
    ])
    if (!lock.rows[0]?.taken) continue
    await client.query('insert into events.lane (lane) values ($1) on conflict do nothing', [lane])
    const { rows } = await client.query<{ pos: number }>('select pos from events.lane where lane = $1', [lane])
    return { lane, pos: rows[0]?.pos ?? 0 }
  }
  throw new Error(`all ${LANES_MAX} lanes are taken`)
}

export async function ensureLogPartitions(client: Queryable, day: string): Promise<void> {
  await client.query('select events.ensure_log_partition($1::date), events.ensure_log_partition($1::date + 1)', [day])
}

export interface DedupeRows {
  workspaceIds: number[]
  /** 128-bit hashes as uuid texts, ascending: two accepters that insert in different orders would deadlock. */
  messages: string[]
  /** Day of arrival, null: for ever. */
  days: (string | null)[]
}

/** Returns the `workspace/message` keys that were not there yet. */
export async function insertMessages(client: Queryable, rows: DedupeRows): Promise<Set<string>> {
  const result = await client.query<{ workspace_id: number; message: string }>({
    name: 'events-insert-messages',
    text: `
      insert into events.dedupe (workspace_id, message, day)
      select * from unnest($1::int[], $2::uuid[], $3::date[])
      on conflict do nothing
      returning workspace_id, message`,
    values: [rows.workspaceIds, rows.messages, rows.days],
  })
  return new Set(result.rows.map(row => `${row.workspace_id}/${row.message}`))
}

export interface GroupRow {
  workspaceId: number
  pos: number
  events: number
  body: Buffer
}

export interface RejectedRow {
  workspaceId: number
  source: string
  reason: string
  detail: string
  payload: Buffer
  isCut: boolean
}

export interface AccountingRow {
  workspaceId: number
  source: string
  outcome: string
  events: number
}

export interface CommitRows {
  lane: number
  receivedAt: Date
  groups: GroupRow[]
  rejected: RejectedRow[]
  accounting: AccountingRow[]
}

/** Writes everything that one commit acknowledges, in one statement: a round trip costs more than its rows. */
export async function insertGroups(client: Queryable, rows: CommitRows): Promise<void> {
  const { groups, rejected, accounting } = rows
  await client.query({
    name: 'events-insert-groups',
    text: `
      with logged as (
        insert into events.log (workspace_id, lane, pos, events, received_at, body)
        select workspace_id, $1, pos, events, $2, body
        from unnest($3::int[], $4::bigint[], $5::int[], $6::bytea[]) as item (workspace_id, pos, events, body)
      ), moved as (
        update events.lane set pos = greatest(pos, (select coalesce(max(pos), 0) from unnest($4::bigint[]) as item (pos)))
        where lane = $1
      ), refused as (
        insert into events.rejected (workspace_id, source, received_at, reason, detail, payload, is_cut)
        select workspace_id, source, $2, reason, detail, payload, is_cut
        from unnest($7::int[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bool[])
          as item (workspace_id, source, reason, detail, payload, is_cut)
      )
      insert into events.accounting (workspace_id, source, minute, lane, outcome, events)
      select workspace_id, source, date_trunc('minute', $2::timestamptz), $1, outcome, events
      from unnest($13::int[], $14::text[], $15::text[], $16::bigint[]) as item (workspace_id, source, outcome, events)
      on conflict (workspace_id, source, minute, lane, outcome)
      do update set events = accounting.events + excluded.events`,
    values: [
      rows.lane,
      rows.receivedAt,
      groups.map(row => row.workspaceId),
      groups.map(row => row.pos),
      groups.map(row => row.events),
      groups.map(row => row.body),
      rejected.map(row => row.workspaceId),
      rejected.map(row => row.source),
      rejected.map(row => row.reason),
      rejected.map(row => row.detail),
      rejected.map(row => row.payload),
      rejected.map(row => row.isCut),
      accounting.map(row => row.workspaceId),
      accounting.map(row => row.source),
      accounting.map(row => row.outcome),
      accounting.map(row => row.events),
    ],
  })
}

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

export async function closeBlocks(client: Queryable, blocks: number[]): Promise<void> {
  await client.query('update events.block set is_open = false where block = any ($1::bigint[])', [blocks])
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

/**
 * Takes or renews a lease by the database's clock. Returns its epoch, which grows with each new owner, or undefined
 * while somebody else holds it.
 */
export async function holdLease(
  client: Queryable,
  name: string,
  owner: string,
  seconds: number,
): Promise<number | undefined> {
  const result = await client.query<{ epoch: number }>(
    `
      insert into events.lease (name, owner, epoch, expires_at)
      values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
      on conflict (name) do update set
        owner = excluded.owner,
        epoch = case when lease.owner = excluded.owner then lease.epoch else lease.epoch + 1 end,
        expires_at = excluded.expires_at
      where lease.owner = excluded.owner or lease.expires_at < clock_timestamp()
      returning epoch`,
    [name, owner, seconds],
  )
  return result.rows[0]?.epoch
}

export async function releaseLease(client: Queryable, name: string, owner: string): Promise<void> {
  await client.query('update events.lease set expires_at = clock_timestamp() where name = $1 and owner = $2', [
    name,
    owner,
  ])
}

/** Locks the lease for this transaction; false when it has passed to somebody else. */
export async function confirmLease(client: Queryable, name: string, epoch: number): Promise<boolean> {
  const result = await client.query('select 1 from events.lease where name = $1 and epoch = $2 for share', [
    name,
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

export interface AccountingFilter {
  source?: string | undefined
  from?: Date | undefined
  to?: Date | undefined
}

export async function readAccounting(
  client: Queryable,
  workspaceId: number,
  filter: AccountingFilter,
): Promise<{ outcome: string; events: number }[]> {
  const result = await client.query<{ outcome: string; events: number }>(
    `
      select outcome, sum(events)::bigint as events from events.accounting
      where workspace_id = $1
        and ($2::text is null or source = $2)
        and ($3::timestamptz is null or minute >= $3)
        and ($4::timestamptz is null or minute < $4)
      group by outcome
      order by outcome`,
    [workspaceId, filter.source ?? null, filter.from ?? null, filter.to ?? null],
  )
  return result.rows
}

export const rejectionStates = ['open', 'resent', 'discarded'] as const
export type RejectionState = (typeof rejectionStates)[number]

export interface StoredRejection {
  id: number
  source: string
  receivedAt: Date
  reason: string
  detail: string
  payload: Buffer
  isCut: boolean
  state: RejectionState
}

const REJECTION_COLUMNS = 'id, source, received_at as "receivedAt", reason, detail, payload, is_cut as "isCut", state'

export interface RejectionFilter {
  source?: string | undefined
  reason?: string | undefined
  state?: RejectionState | undefined
  before?: number | undefined
}

/** Newest first. */
export async function listRejections(
  client: Queryable,
  workspaceId: number,
  filter: RejectionFilter,
  limit: number,
): Promise<StoredRejection[]> {
  const result = await client.query<StoredRejection>(
    `
      select ${REJECTION_COLUMNS} from events.rejected
      where workspace_id = $1
        and ($2::text is null or source = $2)
        and ($3::text is null or reason = $3)
        and ($4::text is null or state = $4)
        and ($5::bigint is null or id < $5)
      order by id desc
      limit $6`,
    [workspaceId, filter.source ?? null, filter.reason ?? null, filter.state ?? null, filter.before ?? null, limit],
  )
  return result.rows
}

export async function findRejection(
  client: Queryable,
  workspaceId: number,
  id: number,
): Promise<StoredRejection | undefined> {
  const result = await client.query<StoredRejection>(
    `select ${REJECTION_COLUMNS} from events.rejected where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  )
  return result.rows[0]
}

/** False when it was not open any more. */
export async function closeRejection(
  client: Queryable,
  workspaceId: number,
  id: number,
  state: 'resent' | 'discarded',
): Promise<boolean> {
  const result = await client.query(
    `update events.rejected set state = $3 where workspace_id = $1 and id = $2 and state = 'open'`,
    [workspaceId, id, state],
  )
  return result.rowCount === 1
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
