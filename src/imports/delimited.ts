/**
 * Text of a delimited file in (CSV, TSV, any one-character delimiter), drafts of rows out. A line without a quote
 * takes a fast path; a quote that goes wrong costs its own line, never the rest of the file.
 *
 * Why not csv-parse, which is the oracle of the tests: it stops at the first stray quote and cannot go on behind it,
 * it has no bound on what an open quote swallows, and it reads 0.18 M rows/s where this reads about 0.9 M (12 columns).
 */

import { DAMAGED } from './decode.ts'
import {
  BROKEN_RAW_CHARS_MAX,
  breakRow,
  CELL_CHARS_MAX,
  QUOTED_LINES_MAX,
  ROW_CHARS_MAX,
  type RowDraft,
  type RowReason,
  type SplitPhase,
  type Splitter,
  type Values,
} from './row.ts'

export interface Dialect {
  delimiter: string
  /** Empty: quotes are ordinary characters. */
  quote: string
  /** `\n` also ends lines that end in `\r\n`; `\r` is for files of old Macs. */
  newline: '\n' | '\r'
}

/** One record as it stands in the file, or the line at which quoting went wrong. */
export type CsvRecord = { raw: string; cells: string[]; fault?: RowReason }

/** How many cells a record may have. `needed` is smaller than `named` where the last columns have no name. */
export interface Width {
  needed: number
  named: number
}

const isBlank = (raw: string) => raw === ''

/**
 * Cuts records from the front of `text`. Consumes whole records only; with `isLast` the end of the text ends a record.
 * `width` lets a quoted record over several lines that has the wrong number of cells be taken for a stray quote.
 */
export function splitRecords(
  text: string,
  isLast: boolean,
  dialect: Dialect,
  width?: Width,
): { records: CsvRecord[]; consumed: number } {
  const { delimiter, quote, newline } = dialect
  const records: CsvRecord[] = []
  const nextQuote = (from: number) => (quote === '' ? -1 : text.indexOf(quote, from))
  let at = 0
  let quoteAt = nextQuote(0)
  while (at < text.length) {
    const newlineAt = text.indexOf(newline, at)
    const lineEnd = newlineAt < 0 ? text.length : newlineAt
    if (quoteAt >= 0 && quoteAt < at) quoteAt = nextQuote(at)
    if (quoteAt < 0 || quoteAt >= lineEnd) {
      if (newlineAt < 0 && !isLast) break
      const raw = trimReturn(text, at, lineEnd, newline)
      if (!isBlank(raw)) records.push({ raw, cells: raw.split(delimiter) })
      at = newlineAt < 0 ? text.length : newlineAt + 1
      continue
    }
    const scan = scanQuoted(text, at, lineEnd, isLast, dialect)
    if (scan === undefined) break
    const isStray = 'fault' in scan || (scan.end > lineEnd && width !== undefined && !fits(scan.cells, width))
    if (isStray) {
      if (newlineAt < 0 && !isLast) break
      const raw = trimReturn(text, at, lineEnd, newline)
      records.push({ raw, cells: [raw], fault: 'fault' in scan ? scan.fault : 'unterminated_quote' })
      at = newlineAt < 0 ? text.length : newlineAt + 1
    } else {
      records.push({ raw: trimReturn(text, at, scan.end, newline), cells: scan.cells })
      at = scan.end + 1
    }
  }
  return { records, consumed: Math.min(at, text.length) }
}

function trimReturn(text: string, from: number, to: number, newline: string): string {
  const end = newline === '\n' && to > from && text.charCodeAt(to - 1) === 13 ? to - 1 : to
  return text.slice(from, end)
}

/**
 * Reads one record that holds a quote. Nothing: it goes on behind the text. `end` is the place of the line end (or the
 * text's end). A fault says only what went wrong: the caller gives up the first line and goes on with the next.
 */
function scanQuoted(
  text: string,
  from: number,
  firstLineEnd: number,
  isLast: boolean,
  { delimiter, quote, newline }: Dialect,
): { cells: string[]; end: number } | { fault: RowReason } | undefined {
  const cells: string[] = []
  let lineEnd = firstLineEnd
  let at = from
  for (;;) {
    if (text[at] !== quote) {
      const delimiterAt = text.indexOf(delimiter, at)
      if (delimiterAt >= 0 && delimiterAt < lineEnd) {
        cells.push(text.slice(at, delimiterAt))
        at = delimiterAt + 1
        continue
      }
      if (lineEnd === text.length && !isLast) return undefined
      cells.push(trimReturn(text, at, lineEnd, newline))
      return { cells, end: lineEnd }
    }
    const close = findClosingQuote(text, at + 1, quote, isLast)
    if (close === undefined) {
      const isWaiting = !isLast && text.length - at <= CELL_CHARS_MAX && text.length - from <= ROW_CHARS_MAX
      return isWaiting ? undefined : { fault: 'unterminated_quote' }
    }
    if (close > lineEnd) {
      if (close - at > CELL_CHARS_MAX || countLines(text, at, close, newline) > QUOTED_LINES_MAX) {
        return { fault: 'unterminated_quote' }
      }
      const newlineAt = text.indexOf(newline, close)
      lineEnd = newlineAt < 0 ? text.length : newlineAt
    }
    const inner = text.slice(at + 1, close)
    cells.push(inner.includes(quote) ? inner.replaceAll(quote + quote, quote) : inner)
    at = close + 1
    if (text[at] === delimiter) {
      at += 1
      continue
    }
    if (at === text.length && !isLast) return undefined
    const isCarriageReturn = newline === '\n' && text[at] === '\r'
    if (isCarriageReturn && at + 1 === text.length && !isLast) return undefined
    if (at === lineEnd || (isCarriageReturn && at + 1 === lineEnd)) return { cells, end: lineEnd }
    return { fault: lineEnd === firstLineEnd ? 'malformed_quote' : 'unterminated_quote' }
  }
}

/** The quote that closes a cell; a doubled quote does not. Nothing: it is not in the text (yet). */
function findClosingQuote(text: string, from: number, quote: string, isLast: boolean): number | undefined {
  for (let at = from; ; ) {
    const found = text.indexOf(quote, at)
    if (found < 0 || (found + 1 === text.length && !isLast)) return undefined
    if (text[found + 1] !== quote) return found
    at = found + 2
  }
}

function countLines(text: string, from: number, to: number, newline: string): number {
  let lines = 0
  for (let at = text.indexOf(newline, from); at >= 0 && at < to; at = text.indexOf(newline, at + 1)) lines += 1
  return lines
}

/** Empty cells too many at the end are harmless, and so are missing cells of columns without a name. */
function fits(cells: string[], width: Width): boolean {
  if (cells.length === width.named) return true
  if (cells.length < width.named) return cells.length >= width.needed
  return cells.slice(width.named).every(cell => cell === '')
}

/** Cuts rows from delimited text whose columns are known. Give the text from behind the header on. */
export function createDelimitedSplitter(
  dialect: Dialect,
  columns: string[],
  neededColumns: number,
  initialPhase: SplitPhase = 'items',
): Splitter {
  const width = { needed: neededColumns, named: columns.length }
  let isSkipping = initialPhase === 'skipping'
  return {
    phase: () => (isSkipping ? 'skipping' : 'items'),
    split(text, isLast) {
      let from = 0
      if (isSkipping) {
        const newlineAt = text.indexOf(dialect.newline)
        if (newlineAt < 0) return { drafts: [], consumed: text.length }
        from = newlineAt + 1
        isSkipping = false
      }
      const { records, consumed } = splitRecords(from > 0 ? text.slice(from) : text, isLast, dialect, width)
      const hasOddCharacters = text.includes('\0') || text.includes(DAMAGED)
      const drafts = records.map(record => draftRow(record, columns, width, hasOddCharacters))
      const rest = text.length - from - consumed
      if (rest <= ROW_CHARS_MAX) return { drafts, consumed: from + consumed }
      isSkipping = true
      const raw = text.slice(from + consumed, from + consumed + BROKEN_RAW_CHARS_MAX)
      drafts.push(breakRow('row_too_long', `the row is longer than ${ROW_CHARS_MAX} characters`, raw))
      return { drafts, consumed: text.length }
    },
  }
}

function draftRow(record: CsvRecord, columns: string[], width: Width, hasOddCharacters: boolean): RowDraft {
  const { raw, cells, fault } = record
  if (fault !== undefined) return breakRow(fault, quoteDetail[fault] ?? fault, raw)
  if (hasOddCharacters) {
    const odd = draftOddRow(raw, cells)
    if (odd) return odd
  }
  if (cells.length !== width.named && !fits(cells, width)) {
    return breakRow('ragged_row', `${cells.length} cells where the header has ${width.named}`, raw, cells)
  }
  if (raw.length > CELL_CHARS_MAX) {
    const long = cells.findIndex(cell => cell.length > CELL_CHARS_MAX)
    if (long >= 0) {
      return breakRow('cell_too_long', `cell ${long + 1} is longer than ${CELL_CHARS_MAX} characters`, raw)
    }
  }
  const values: Values = {}
  for (let index = 0; index < columns.length; index += 1) values[columns[index] ?? ''] = cells[index] ?? ''
  return { raw, values }
}

function draftOddRow(raw: string, cells: string[]): RowDraft | undefined {
  if (raw.includes(DAMAGED)) {
    const [rawText = '', ...cellTexts] = [raw, ...cells].map(text => text.replaceAll(DAMAGED, '\uFFFD'))
    return breakRow('invalid_encoding', 'bytes that are no UTF-8 in a file that is UTF-8', rawText, cellTexts)
  }
  return raw.includes('\0')
    ? breakRow('nul_character', 'a NUL character, which no store can keep', raw, cells)
    : undefined
}

const quoteDetail: { [reason in RowReason]?: string } = {
  unterminated_quote: 'a quote opens here and does not close where a cell can end',
  malformed_quote: 'text follows a closing quote',
}
