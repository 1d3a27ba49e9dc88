/** Processed events come in; rows of ClickHouse's `events` go out, a whole block or nothing. */
import type { ClickHouse } from '../store/clickhouse.ts'
import { eventColumns, eventSelect, type ProcessedEvent } from './row.ts'

/** Repeating a block under its number changes nothing. */
export async function projectEvents(clickhouse: ClickHouse, block: number, rows: ProcessedEvent[]): Promise<void> {
  if (rows.length === 0) return
  // Sorted as the table is, so that ClickHouse need not sort again.
  const sorted = [...rows].sort((a, b) => a.workspaceId - b.workspaceId || a.node - b.node)
  await clickhouse.insert({
    table: 'events',
    token: `events:${block}`,
    select: eventSelect,
    columns: eventColumns(sorted, block),
  })
}

/**
 * Drops whole months of events, by event time, that ended before `before` (epoch ms). What a rebuild brings back is
 * dropped again by the next call.
 */
export async function dropMonths(clickhouse: ClickHouse, before: number): Promise<string[]> {
  const months = await clickhouse.query<{ month: string }>(
    `
      select distinct partition as month from system.parts
      where database = currentDatabase() and table = 'events' and active and toUInt32OrZero(partition) < {before:UInt32}
      order by month`,
    { before: monthOf(before) },
  )
  for (const { month } of months)
    await clickhouse.command('alter table events drop partition {month:String}', { month })
  return months.map(({ month }) => month)
}

/** 202603 of an instant in March 2026 (UTC): how partitions are named. */
const monthOf = (at: number) => Number(new Date(at).toISOString().slice(0, 7).replace('-', ''))

/** For a rebuild. The catalogue goes with the events that it was made from. */
export async function emptyEvents(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command('truncate table events')
  await clickhouse.command('truncate table product_states')
}
