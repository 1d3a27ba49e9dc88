/**
 * Rejected rows in, lines of a file out that says why and can be mended and imported again.
 *
 * The cells of a row stay exactly as they were, also where one begins with `=`: a file that is to be imported again
 * must not be changed by looking at it. Only what we write ourselves is made safe for spreadsheets. Our columns stand
 * in front, so that a row with too many or too few cells is kept as it was, and stays rejected until it is mended.
 */
import type { Json } from '../spec/json.ts'
import { RAW_FIELD, rejectsColumns } from './header.ts'
import type { FormatType } from './layout.ts'
import type { Row } from './row.ts'

/** The reason is the mapping's, or that of the door of the log. */
export interface Why {
  reason: string
  detail: string
}

export interface RejectsWriter {
  /** Of the file's name: rows of flat files come back as CSV, of JSON and Parquet as NDJSON, which keeps what is nested. */
  extension: 'csv' | 'ndjson'
  contentType: string
  /** What the file begins with. The BOM makes spreadsheets, and our own reader, take it for UTF-8. */
  head: string
  /** One rejected row, with its line end. */
  line(row: Row, reject: Why): string
}

/** Makes the writer for rows of one file. `delimiter` is the one of that file. */
export function createRejectsWriter(format: FormatType, columns: string[], delimiter = ','): RejectsWriter {
  if (format !== 'csv' && format !== 'tsv') {
    return { extension: 'ndjson', contentType: 'application/x-ndjson', head: '', line: jsonLine }
  }
  const write = (cells: string[]) => `${cells.map(cell => quoteCell(cell, delimiter)).join(delimiter)}\r\n`
  return {
    extension: 'csv',
    contentType: 'text/csv; charset=utf-8',
    head: `\uFEFF${write([...rejectsColumns, ...columns])}`,
    line(row, reject) {
      const cells = row.reject ? row.cells : columns.map(column => cellOf(row.values[column]))
      return write([String(row.number), reject.reason, neutralise(reject.detail), ...cells])
    },
  }
}

function jsonLine(row: Row, reject: Why): string {
  const [number, reason, detail] = rejectsColumns
  const head = { [number]: row.number, [reason]: reject.reason, [detail]: reject.detail }
  return `${JSON.stringify(row.reject ? { ...head, [RAW_FIELD]: row.raw } : { ...head, ...row.values })}\n`
}

const cellOf = (value: Json | undefined): string => {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  return JSON.stringify(value)
}

function quoteCell(cell: string, delimiter: string): string {
  const isPlain = !/["\r\n]/.test(cell) && !cell.includes(delimiter)
  return isPlain ? cell : `"${cell.replaceAll('"', '""')}"`
}

/** A text that a spreadsheet would run as a formula, made text again. */
export const neutralise = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
