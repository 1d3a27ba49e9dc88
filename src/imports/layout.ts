/** The first text of a file in, its layout out: which format, how its cells are delimited, what its columns are called. */
import * as z from 'zod'
import { createDelimitedSplitter, type Dialect, splitRecords } from './delimited.ts'
import { guessHeader, type Header, nameColumns, numberColumns, RAW_FIELD, rejectsColumns } from './header.ts'
import { createItemSplitter, createLineSplitter, type JsonShape } from './json-splitter.ts'
import { jsonColumns } from './json-value.ts'
import { breakRow, COLUMNS_MAX, FileFault, type RowDraft, type SplitPhase, type Splitter } from './row.ts'

export const formatTypes = ['csv', 'tsv', 'ndjson', 'json', 'parquet'] as const
export type FormatType = (typeof formatTypes)[number]

/** What a mapping may say about a file instead of letting it be guessed. */
export const formatSchema = z.strictObject({
  type: z.enum(formatTypes).optional().describe('csv for any delimiter, tsv for tabs'),
  encoding: z
    .string()
    .max(40)
    .optional()
    .describe('utf-8, utf-16le, windows-1252, shift_jis …; a BOM in the file outranks it'),
  delimiter: z.string().length(1).optional(),
  quote: z.string().max(1).optional().describe('empty: quotes are ordinary characters'),
  header: z.boolean().optional().describe('whether the first row names the columns'),
  columns: z.array(z.string().min(1)).max(COLUMNS_MAX).optional().describe('names for a file without a header'),
  list: z.string().optional().describe('json: the field that holds the list of rows'),
})
export type FormatOverrides = z.infer<typeof formatSchema>

const delimiters = [',', ';', '\t', '|'] as const
/** Records looked at to guess the delimiter and the header. */
const SAMPLE_RECORDS = 100

export const layoutSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('delimited'),
    delimiter: z.string(),
    quote: z.string(),
    newline: z.enum(['\n', '\r']),
    header: z.boolean(),
    columns: z.array(z.string()),
    neededColumns: z.int(),
  }),
  z.object({ kind: z.literal('lines'), columns: z.array(z.string()) }),
  z.object({
    kind: z.literal('items'),
    shape: z.enum(['array', 'object', 'sequence']),
    list: z.string().optional(),
    columns: z.array(z.string()),
  }),
])
/** How the text of one file is cut into rows; part of what a resumed import needs to know again. */
export type Layout = z.infer<typeof layoutSchema>

/**
 * Tells the layout from the first text of a file.
 * @param isWhole the text is the entire file
 * @returns the layout, and how many characters the header takes
 * @throws FileFault `empty_file`, `unreadable_header`, `too_many_columns`
 */
export function guessLayout(
  text: string,
  isWhole: boolean,
  said: FormatOverrides,
): { layout: Layout; headerChars: number } {
  if (text.trim() === '') throw new FileFault('empty_file', 'The file is empty.')
  const overrides = oursOf(text) ?? said
  const json = guessJson(text, isWhole, overrides)
  if (json) return { layout: { ...json, columns: sampleColumns(json, text) }, headerChars: 0 }
  return guessDelimited(text, isWhole, overrides)
}

/** A rejects file of ours, whatever the mapping says of the file that it came from. */
function oursOf(text: string): FormatOverrides | undefined {
  const [first] = rejectsColumns
  if (text.startsWith(`{"${first}":`)) return { type: 'ndjson' }
  return text.startsWith(first) ? { type: 'csv', delimiter: text.charAt(first.length), header: true } : undefined
}

/** What to call the format of a layout. */
export const formatOf = (layout: Layout): FormatType => {
  if (layout.kind === 'delimited') return layout.delimiter === '\t' ? 'tsv' : 'csv'
  return layout.kind === 'lines' ? 'ndjson' : 'json'
}

/** Makes the splitter that cuts text of this layout, from behind its header on. */
export function createSplitter(layout: Layout, phase?: SplitPhase): Splitter {
  const splitter = splitterOf(layout, phase)
  return layout.columns[0] === rejectsColumns[0] ? dropRejectsColumns(splitter) : splitter
}

function splitterOf(layout: Layout, phase?: SplitPhase): Splitter {
  if (layout.kind === 'lines') return createLineSplitter(phase)
  if (layout.kind === 'items') return createItemSplitter(layout.shape, layout.list, phase)
  return createDelimitedSplitter(layout, layout.columns, layout.neededColumns, phase)
}

/** The columns that a mapping sees. */
export const visibleColumns = (layout: Layout): string[] =>
  layout.columns[0] === rejectsColumns[0]
    ? layout.columns.slice(rejectsColumns.length).filter(column => column !== RAW_FIELD)
    : layout.columns

/** A mended rejects file reads as the file it came from: without the three columns in front that we added. */
function dropRejectsColumns(splitter: Splitter): Splitter {
  const drop = (draft: RowDraft): RowDraft => {
    if (draft.reject)
      return { ...draft, cells: draft.cells.length > 1 ? draft.cells.slice(rejectsColumns.length) : draft.cells }
    const raw = draft.values[RAW_FIELD]
    if (typeof raw === 'string') return breakRow('invalid_json', 'not mended yet: its text is no JSON', raw)
    const values = { ...draft.values }
    for (const column of rejectsColumns) delete values[column]
    return { ...draft, values }
  }
  return {
    phase: splitter.phase,
    split(text, isLast) {
      const { drafts, consumed } = splitter.split(text, isLast)
      return { drafts: drafts.map(drop), consumed }
    },
  }
}

type JsonLayout = { kind: 'lines' } | { kind: 'items'; shape: JsonShape; list?: string }

function guessJson(text: string, isWhole: boolean, said: FormatOverrides): JsonLayout | undefined {
  if (said.type === 'ndjson') return { kind: 'lines' }
  if (said.type === 'csv' || said.type === 'tsv') return undefined
  const head = text.trimStart()
  const isArray = head.startsWith('[')
  if (said.type === undefined) {
    const isJson = isArray ? /^\[\s*["[{\]]/.test(head) : /^\{\s*["}]/.test(head)
    if (!isJson) return undefined
  }
  if (isArray) return { kind: 'items', shape: 'array' }
  const list = said.list === undefined ? {} : { list: said.list }
  return said.list === undefined && !hasList(head, isWhole)
    ? guessSequence(head)
    : { kind: 'items', shape: 'object', ...list }
}

/** Whether an object at the head of a file is a frame around a list of rows rather than a row itself. */
function hasList(head: string, isWhole: boolean): boolean {
  const newlineAt = head.indexOf('\n')
  const firstLine = newlineAt < 0 ? head : head.slice(0, newlineAt)
  const first = tryParse(firstLine)
  const isAlone = newlineAt < 0 || head.slice(newlineAt).trim() === ''
  if (first !== undefined && !isAlone) return false
  const whole = first ?? (isWhole ? tryParse(head) : undefined)
  if (whole !== undefined) return isWhole ? Object.values(whole).some(isListOfObjects) : false
  // Cut off or broken: a second object behind the first tells a sequence.
  return createItemSplitter('sequence').split(head, false).drafts.length < 2
}

const isListOfObjects = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && typeof value[0] === 'object' && value[0] !== null

function guessSequence(head: string): JsonLayout {
  const newlineAt = head.indexOf('\n')
  const isLine = tryParse(newlineAt < 0 ? head : head.slice(0, newlineAt)) !== undefined
  return isLine ? { kind: 'lines' } : { kind: 'items', shape: 'sequence' }
}

function tryParse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function sampleColumns(json: JsonLayout, text: string): string[] {
  const splitter = json.kind === 'lines' ? createLineSplitter() : createItemSplitter(json.shape, json.list)
  const rows = splitter.split(text, false).drafts.slice(0, SAMPLE_RECORDS)
  return jsonColumns(rows.flatMap(draft => (draft.reject ? [] : [draft.values]))).slice(0, COLUMNS_MAX)
}

function guessDelimited(
  text: string,
  isWhole: boolean,
  said: FormatOverrides,
): { layout: Layout; headerChars: number } {
  const newline = text.includes('\n') || !text.includes('\r') ? '\n' : '\r'
  const quote = said.quote ?? '"'
  const delimiter =
    said.delimiter ??
    (said.type === 'tsv'
      ? '\t'
      : guessDelimiter(text, isWhole, candidate => ({ delimiter: candidate, quote, newline })))
  const dialect: Dialect = { delimiter, quote, newline }
  const records = sample(text, isWhole, dialect)
  const [first] = records
  if (!first || first.fault !== undefined) {
    throw new FileFault('unreadable_header', 'The first row cannot be read: a quote opens and does not close.')
  }
  const hasHeader = said.header ?? (said.columns ? false : guessHeader(records.map(record => record.cells)))
  const header = hasHeader ? nameColumns(first.cells) : nameUnheaded(first.cells.length, said.columns)
  const layout: Layout = { kind: 'delimited', ...dialect, header: hasHeader, ...header }
  return { layout, headerChars: hasHeader ? endOfFirst(text, first.raw, newline) : 0 }
}

function nameUnheaded(count: number, names: string[] | undefined): Header {
  return names ? { ...nameColumns(names), neededColumns: names.length } : numberColumns(count)
}

/** The place behind the first record that is not blank. */
function endOfFirst(text: string, raw: string, newline: string): number {
  const end = text.indexOf(raw) + raw.length
  const newlineAt = text.indexOf(newline, end)
  return newlineAt < 0 ? text.length : newlineAt + 1
}

function sample(text: string, isWhole: boolean, dialect: Dialect) {
  const { records } = splitRecords(text, isWhole, dialect)
  const some = records.length > 0 ? records : splitRecords(text, true, dialect).records
  return some.slice(0, SAMPLE_RECORDS)
}

/** The delimiter by which most records have as many cells as the first; of equals the one with more columns. */
function guessDelimiter(text: string, isWhole: boolean, dialectOf: (delimiter: string) => Dialect): string {
  let best = { delimiter: ',', share: 0, columns: 1 }
  for (const delimiter of delimiters) {
    const records = sample(text, isWhole, dialectOf(delimiter))
    const columns = records[0]?.cells.length ?? 0
    if (columns < 2) continue
    const alike = records.filter(record => record.fault === undefined && record.cells.length === columns).length
    const share = alike / records.length
    if (share > best.share || (share === best.share && columns > best.columns)) best = { delimiter, share, columns }
  }
  return best.delimiter
}
