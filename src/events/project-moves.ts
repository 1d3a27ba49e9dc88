/**
 * Changed rules give stored events other nodes: where each event shall hang comes in; ClickHouse's events hang there. Only
 * ClickHouse touches their bodies. Gathering may take long and is unseen; moving is quick.
 */
import type { ClickHouse } from '../store/clickhouse.ts'
import { eventColumns, type ProcessedEvent } from './row.ts'

export type MovedEvent = Pick<ProcessedEvent, 'event' | 'lane' | 'pos' | 'ix' | 'node' | 'nodes'>

/** Rows moved by one statement, so that the sets it holds stay some 100 MB and it ends in time. */
const SLICE_ROWS = 500_000

/** Before gathering begins, and after the events were moved. */
export const emptyMoves = (clickhouse: ClickHouse): Promise<void> => clickhouse.command('truncate table event_moves')

/** Notes where events shall hang: all of a workspace's, for here it is not known where they hang now. */
export async function stageMoves(clickhouse: ClickHouse, rows: MovedEvent[]): Promise<void> {
  if (rows.length === 0) return
  await clickhouse.insert({
    table: 'event_moves',
    token: '',
    columns: [
      { name: 'month', type: 'UInt32', values: rows.map(row => monthOf(row.event.timestamp)) },
      { name: 'lane', type: 'UInt16', values: rows.map(row => row.lane) },
      { name: 'pos', type: 'UInt64', values: rows.map(row => row.pos) },
      { name: 'ix', type: 'UInt16', values: rows.map(row => row.ix) },
      { name: 'node', type: 'UInt64', values: rows.map(row => row.node) },
      { name: 'nodes', type: 'Array(UInt64)', values: rows.map(row => row.nodes) },
    ],
  })
}

/** As the table is partitioned: `202603`. */
const monthOf = (timestamp: string): number => {
  const date = new Date(timestamp)
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
}

/**
 * Hangs the workspace's events where they were noted to hang; they get the number `block`, greater than any before. A
 * slice of a month at a time is there twice for the second that its old rows take to go. Repeating it changes nothing.
 */
export async function moveEvents(clickhouse: ClickHouse, workspaceId: number, block: number): Promise<void> {
  const months = await clickhouse.query<{ month: number; rows: number }>(
    'select month, count() as rows from event_moves group by month order by month',
    {},
    { lane: 'long' },
  )
  for (const { month, rows } of months) {
    const slices = Math.ceil(rows / SLICE_ROWS)
    for (let slice = 0; slice < slices; slice += 1) {
      await moveSlice(clickhouse, { workspace: workspaceId, block, month, slices, slice })
    }
  }
  await emptyMoves(clickhouse)
}

type Slice = Record<'workspace' | 'block' | 'month' | 'slices' | 'slice', number>

async function moveSlice(clickhouse: ClickHouse, slice: Slice): Promise<void> {
  const [misplaced] = await clickhouse.query<{ rows: number }>(countMisplaced, slice, { lane: 'long' })
  if (!misplaced || misplaced.rows === 0) return
  await clickhouse.command(insertMoved, slice)
  await clickhouse.command(deleteMisplaced(slice.month), slice)
}

const isOfSlice = 'month = {month:UInt32} and pos % {slices:UInt64} = {slice:UInt64}'
const isEventOfSlice =
  'workspace_id = {workspace:UInt32} and toYYYYMM(timestamp) = {month:UInt32} and pos % {slices:UInt64} = {slice:UInt64}'

const isMisplaced = `
  (lane, pos, ix) in (select lane, pos, ix from event_moves where ${isOfSlice})
  and (lane, pos, ix, node, nodes) not in (select lane, pos, ix, node, nodes from event_moves where ${isOfSlice})`

const countMisplaced = `select count() as rows from events where ${isEventOfSlice} and ${isMisplaced}`

const names = eventColumns([], 0).map(column => column.name)
const moved: Record<string, string> = { node: 'move.node', nodes: 'move.nodes', block: '{block:UInt64}' }

/** Those that a move cut off has left there already stay as they are. */
const insertMoved = `
  insert into events (${names.join(', ')})
  select ${names.map(name => moved[name] ?? `event.${name}`).join(', ')}
  from (select ${names.join(', ')} from events where ${isEventOfSlice} and block < {block:UInt64}) as event
  inner join (select lane, pos, ix, node, nodes from event_moves where ${isOfSlice}) as move
    on move.lane = event.lane and move.pos = event.pos and move.ix = event.ix
  where (event.node != move.node or event.nodes != move.nodes)
    and (event.lane, event.pos, event.ix) not in (
      select lane, pos, ix from events where ${isEventOfSlice} and block = {block:UInt64}
    )`

/** The partition is a number of ours; its name cannot be a parameter. */
const deleteMisplaced = (month: number) =>
  `delete from events in partition ${Math.trunc(month)} where ${isEventOfSlice} and ${isMisplaced}`
