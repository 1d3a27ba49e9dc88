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
    const { rows } = await client.query<{ pos: number | string }>('select pos from events.lane where lane = $1', [lane])
    // A lane has a connection of its own, outside the pool that reads bigint as a number: '0' + 1 would be '01'.
    return { lane, pos: Number(rows[0]?.pos ?? 0) }
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

/**
 * Remembers messages. Returns the `workspace/message` keys that were there before: nearly always none, so that nothing
 * travels back. Array literals are written here because the driver's own way quotes and escapes each element.
 */
export async function insertMessages(client: Queryable, rows: DedupeRows): Promise<Set<string>> {
  const result = await client.query<{ workspace_id: number; message: string }>({
    name: 'events-insert-messages',
    text: `
      with item as materialized (
        select workspace_id, message, day
        from unnest($1::int[], $2::uuid[], $3::date[]) as item (workspace_id, message, day)
      ), fresh as (
        insert into events.dedupe (workspace_id, message, day)
        select workspace_id, message, day from item
        on conflict do nothing
        returning workspace_id, message
      )
      select workspace_id, message from item
      where not exists (
        select from fresh where fresh.workspace_id = item.workspace_id and fresh.message = item.message
      )`,
    values: [
      `{${rows.workspaceIds.join()}}`,
      `{${rows.messages.join()}}`,
      `{${rows.days.map(day => day ?? 'null').join()}}`,
    ],
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
  /** JSON. */
  deliveryHeaders: string | null
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
        insert into events.rejected (workspace_id, source, received_at, reason, detail, payload, is_cut, delivery_headers)
        select workspace_id, source, $2, reason, detail, payload, is_cut, delivery_headers
        from unnest($7::int[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bool[], $17::jsonb[])
          as item (workspace_id, source, reason, detail, payload, is_cut, delivery_headers)
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
      rejected.map(row => row.deliveryHeaders),
    ],
  })
}
