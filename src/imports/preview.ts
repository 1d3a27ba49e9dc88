/** A mapping and the first rows of a file in; what they would become out, and what each column holds. Writes nothing. */
import type { Json } from '../spec/json.ts'
import { hasIdentifier, type MappedEvent, mapRow, type Reject, type RejectReason } from './map-row.ts'
import type { PreparedMapping } from './prepare.ts'
import type { Row } from './row.ts'
import { compileCell, textOf } from './source-row.ts'

/** Rows looked at, events and rejects shown, examples of a column, and how much of each. */
export const PREVIEW_ROWS_MAX = 10_000
const SHOWN_MAX = 100
const EXAMPLES_MAX = 5
const EXAMPLE_CHARS_MAX = 100

export interface ColumnStatistics {
  column: string
  filled: number
  empty: number
  /** Different texts among the rows looked at. */
  distinct: number
  examples: string[]
  longest: number
  /** Rows that were rejected because of this column. */
  rejected: number
}

export interface Preview {
  rows: number
  /** The first rows and what each becomes. */
  shown: ({ row: number } & ({ events: MappedEvent[] } | { reject: Reject }))[]
  /** The first rejected rows, wherever in the sample they stand. */
  rejects: { row: number; reject: Reject }[]
  rejectedByReason: { [reason in RejectReason]?: number }
  /** How many events of each name (of a track) or type (of the others). */
  eventsByName: Record<string, number>
  /** Different userIds among the events. */
  users: number
  /** Events of nobody. */
  personless: number
  /** Events whose messageId an earlier row already has: they would be taken for repetitions and not stored. */
  repeated: number
  columns: ColumnStatistics[]
}

/** Maps the first rows without writing anything. */
export function preview(prepared: PreparedMapping, columns: string[], rows: Row[], shownMax = 20): Preview {
  const looked = rows.slice(0, PREVIEW_ROWS_MAX)
  const result: Preview = {
    rows: looked.length,
    shown: [],
    rejects: [],
    rejectedByReason: {},
    eventsByName: {},
    users: 0,
    personless: 0,
    repeated: 0,
    columns: describeColumns(columns, looked),
  }
  const seen = { ids: new Set<string>(), users: new Set<string>() }
  const rejectedByColumn = new Map<string, number>()
  for (const row of looked) {
    const mapped = mapRow(prepared, row)
    if (result.shown.length < Math.min(shownMax, SHOWN_MAX))
      result.shown.push({ row: row.number, ...mapped } as Preview['shown'][number])
    if (mapped.reject) {
      const { reason, column } = mapped.reject
      result.rejectedByReason[reason] = (result.rejectedByReason[reason] ?? 0) + 1
      if (column !== undefined) rejectedByColumn.set(column, (rejectedByColumn.get(column) ?? 0) + 1)
      if (result.rejects.length < SHOWN_MAX) result.rejects.push({ row: row.number, reject: mapped.reject })
    } else for (const event of mapped.events) countEvent(event, result, seen)
  }
  result.users = seen.users.size
  for (const each of result.columns) each.rejected = rejectedByColumn.get(each.column) ?? 0
  return result
}

function countEvent(event: MappedEvent, result: Preview, seen: { ids: Set<string>; users: Set<string> }): void {
  const name = event.event ?? event.type
  result.eventsByName[name] = (result.eventsByName[name] ?? 0) + 1
  if (seen.ids.has(event.messageId)) result.repeated += 1
  seen.ids.add(event.messageId)
  if (event.userId !== undefined) seen.users.add(event.userId)
  if (!hasIdentifier(event)) result.personless += 1
}

/** What each column holds, over the rows that could be read. */
function describeColumns(columns: string[], rows: Row[]): ColumnStatistics[] {
  return columns.map(column => {
    const read = compileCell(column, [])
    const texts = new Set<string>()
    let filled = 0
    let empty = 0
    let longest = 0
    for (const row of rows) {
      if (row.reject) continue
      const text = textOf(read({ values: row.values, joined: [] }) as Json | undefined)
      if (text === '') empty += 1
      else {
        filled += 1
        texts.add(text)
        if (text.length > longest) longest = text.length
      }
    }
    const examples = [...texts].slice(0, EXAMPLES_MAX).map(text => text.slice(0, EXAMPLE_CHARS_MAX))
    return { column, filled, empty, distinct: texts.size, examples, longest, rejected: 0 }
  })
}
