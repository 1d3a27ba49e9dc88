/**
 * What a reader hands on: one row of a file, whole or broken, and the closed lists of what can be wrong with a row or
 * with a whole file.
 */
import type { Json } from '../spec/json.ts'

/** Longest cell, in characters. A quote that does not close within it is taken for a stray quote. */
export const CELL_CHARS_MAX = 1024 * 1024
/** Longest row, in characters; what follows up to the next line end is passed over. */
export const ROW_CHARS_MAX = 8 * 1024 * 1024
/** Most lines that one quoted cell may span: bounds what a stray quote can swallow. */
export const QUOTED_LINES_MAX = 1_000
/** Most columns of a file. */
export const COLUMNS_MAX = 10_000
/** Deepest nesting of one JSON row: the log takes 32 levels, and the event around the row needs two. */
export const JSON_DEPTH_MAX = 30
/** How much of a broken row is kept for the rejects file, in characters. */
export const BROKEN_RAW_CHARS_MAX = 64 * 1024

/** Why a row cannot be read. */
export const rowReasons = [
  'ragged_row',
  'unterminated_quote',
  'malformed_quote',
  'cell_too_long',
  'row_too_long',
  'nul_character',
  'invalid_encoding',
  'invalid_json',
  'not_an_object',
  'too_deep',
] as const
export type RowReason = (typeof rowReasons)[number]

export type Values = Record<string, Json>

/** A row that could be read. `number` counts data rows from 1; `raw` is its text without the line end. */
export interface WholeRow {
  number: number
  raw: string
  values: Values
  reject?: undefined
}

/** A row that could not be read. `cells` is what could be told apart, or the text as one cell. */
export interface BrokenRow {
  number: number
  raw: string
  cells: string[]
  reject: { reason: RowReason; detail: string }
}

export type Row = WholeRow | BrokenRow

/** A row before it has its number. */
export type RowDraft = Omit<WholeRow, 'number'> | Omit<BrokenRow, 'number'>

/**
 * Makes the draft of a broken row.
 * @param detail a sentence without values of the row: it may reach logs and screens that the row itself must not
 */
export function breakRow(reason: RowReason, detail: string, raw: string, cells?: string[]): RowDraft {
  const kept = raw.length > BROKEN_RAW_CHARS_MAX ? raw.slice(0, BROKEN_RAW_CHARS_MAX) : raw
  return { raw: kept, cells: cells ?? [kept], reject: { reason, detail } }
}

/** Why a file cannot be read, or not further. */
const fileReasons = [
  'empty_file',
  'unknown_encoding',
  'unreadable_header',
  'too_many_columns',
  'no_list',
  'several_lists',
  'damaged_json',
  'damaged_gzip',
  'damaged_parquet',
  'row_group_too_large',
  'spool_full',
  'changed_file',
  'unusable_lookup',
] as const
export type FileReason = (typeof fileReasons)[number]

/** A file that cannot be read, or not beyond the rows already given. The message is for the user. */
export class FileFault extends Error {
  readonly reason: FileReason
  constructor(reason: FileReason, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'FileFault'
    this.reason = reason
  }
}

/**
 * Cuts text into rows. `split` is given all text not yet consumed and says how much of it is done with; `isLast` tells
 * that nothing follows. `phase` is what a later reader needs to go on from the consumed place.
 */
export interface Splitter {
  split(text: string, isLast: boolean): { drafts: RowDraft[]; consumed: number }
  phase(): SplitPhase
}
/** `start`: at the head of the file; `items`: between two rows; `skipping`: inside a row that was too long. */
export type SplitPhase = 'start' | 'items' | 'skipping' | 'end'
