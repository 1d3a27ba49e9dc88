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

/** For a rebuild. The catalogue goes with the events that it was made from. */
export async function emptyEvents(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command('truncate table events')
  await clickhouse.command('truncate table product_states')
}
