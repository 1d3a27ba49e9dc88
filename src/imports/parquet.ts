/**
 * A Parquet file in, by ranges of its bytes, drafts of rows out. One stretch of one row group is read at a time, column
 * by column: memory holds the values of that stretch and the bytes of one column of the group.
 */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { Json } from '../spec/json.ts'
import { EXACT_DIGITS } from './decimal.ts'
import { jsonColumns } from './json-value.ts'
import { breakRow, COLUMNS_MAX, FileFault, type RowDraft, type Values } from './row.ts'

/** Largest column of a row group, in bytes as stored. Writers make groups of 64 to 512 MB. */
const COLUMN_CHUNK_BYTES_MAX = 1024 * 1024 * 1024
/**
 * Values (rows × columns) read at once. Pages outside a stretch are passed over unread, but each stretch unpacks its
 * dictionaries again: 1 M rows of 8 columns in one group take 24 s in stretches of 50,000 rows, 8 s and 370 MB in
 * stretches of 100,000, 6 s and 1 GB all at once.
 */
const PARQUET_VALUES_AT_ONCE = 1_000_000
const STRETCH_ROWS_MIN = 1_000

export interface ParquetRows {
  columns: string[]
  rowCount: number
  /** Drafts from row `rowsBefore` (zero-based) on. */
  read(rowsBefore: number): AsyncIterable<RowDraft[]>
}

/** Opens a Parquet file. @throws FileFault `damaged_parquet`, `row_group_too_large`, `too_many_columns` */
export async function openParquet(file: AsyncBuffer): Promise<ParquetRows> {
  const metadata = await guard(() => parquetMetadataAsync(file))
  const schema = parquetSchema(metadata)
  const names = schema.children.map(child => child.element.name).filter(name => name !== '__proto__')
  if (names.length > COLUMNS_MAX) {
    throw new FileFault('too_many_columns', `The file has ${names.length} columns; ${COLUMNS_MAX} are the limit.`)
  }
  const scales = new Map(
    schema.children
      .filter(child => child.element.converted_type === 'DECIMAL' || child.element.logical_type?.type === 'DECIMAL')
      .map(child => [child.element.name, child.element.scale ?? 0]),
  )
  const first = await firstRow(file, metadata, names, scales)
  const nested = new Set(schema.children.filter(child => child.children.length > 0).map(child => child.element.name))
  const columns = names.flatMap(name =>
    nested.has(name) && first ? jsonColumns([{ [name]: first[name] ?? null }]) : [name],
  )
  return {
    columns,
    rowCount: Number(metadata.num_rows),
    read: rowsBefore => readRows({ file, metadata, names, scales }, rowsBefore),
  }
}

/** A date without a time stays one: as an instant it would fall on the day before in half of the world. */
const parsers = {
  dateFromDays: (days: number | undefined) =>
    days === undefined ? undefined : new Date(days * MILLISECONDS_OF_DAY).toISOString().slice(0, 'yyyy-mm-dd'.length),
}
const MILLISECONDS_OF_DAY = 86_400_000

interface Opened {
  file: AsyncBuffer
  metadata: FileMetaData
  names: string[]
  scales: Map<string, number>
}

async function firstRow(
  file: AsyncBuffer,
  metadata: FileMetaData,
  names: string[],
  scales: Map<string, number>,
): Promise<Values | undefined> {
  if (metadata.num_rows === 0n) return undefined
  for await (const drafts of readRows({ file, metadata, names, scales }, 0, 1)) {
    const [draft] = drafts
    return draft && 'values' in draft ? draft.values : undefined
  }
  return undefined
}

async function* readRows(opened: Opened, rowsBefore: number, limit?: number): AsyncGenerator<RowDraft[]> {
  const { file, metadata, names, scales } = opened
  const step = Math.max(STRETCH_ROWS_MIN, Math.floor(PARQUET_VALUES_AT_ONCE / names.length))
  for (const stretch of stretches(metadata, rowsBefore, step)) {
    const end = limit === undefined ? stretch.end : Math.min(stretch.end, stretch.start + limit)
    const columns = await guard(async () => {
      const scan = await parquetScan({ file, metadata, compressors, parsers, rowStart: stretch.start, rowEnd: end })
      const read: ArrayLike<unknown>[] = []
      for (const column of names) read.push(await scan.readColumn({ column, rowStart: stretch.start, rowEnd: end }))
      return read
    })
    const drafts: RowDraft[] = []
    for (let row = 0; row < end - stretch.start; row += 1) {
      const values: Values = {}
      for (let index = 0; index < names.length; index += 1) {
        const name = names[index] ?? ''
        values[name] = toJson(columns[index]?.[row], scales.get(name))
      }
      drafts.push(draftValues(values))
    }
    yield drafts
    if (limit !== undefined) return
  }
}

/** Ranges of rows to read at once, in order, none of them across two row groups. */
function* stretches(
  metadata: FileMetaData,
  rowsBefore: number,
  step: number,
): Generator<{ start: number; end: number }> {
  let groupStart = 0
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows)
    if (groupEnd > rowsBefore) {
      if (group.columns.some(column => Number(column.meta_data?.total_compressed_size ?? 0) > COLUMN_CHUNK_BYTES_MAX)) {
        throw new FileFault(
          'row_group_too_large',
          `A column of a row group is larger than ${COLUMN_CHUNK_BYTES_MAX} bytes; write the file with smaller row groups.`,
        )
      }
      for (let start = Math.max(groupStart, rowsBefore); start < groupEnd; start += step) {
        yield { start, end: Math.min(groupEnd, start + step) }
      }
    }
    groupStart = groupEnd
  }
}

function draftValues(values: Values): RowDraft {
  const raw = JSON.stringify(values)
  if (raw.includes('\\u0000')) return breakRow('nul_character', 'a NUL character, which no store can keep', raw)
  return { raw, values }
}

/** A value as JSON: instants as ISO text, long integers as text, decimals as they were written, bytes as base64. */
function toJson(value: unknown, scale?: number): Json {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return scale === undefined ? finite(value) : decimal(value, scale)
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : value.toString()
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(item => toJson(item))
  if (typeof value !== 'object') return String(value)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}

const finite = (value: number): Json => (Number.isFinite(value) ? value : null)

/** The reader multiplies by a power of ten, which leaves 0.35000000000000003: rounding to the scale gives 0.35 back. */
function decimal(value: number, scale: number): Json {
  const text = value.toFixed(scale)
  return text.replace(/\D/g, '').length <= EXACT_DIGITS ? Number(text) : text
}

const isSafe = (value: bigint) => value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER

async function guard<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new FileFault('damaged_parquet', 'The Parquet file is damaged, or of a kind that cannot be read.', { cause })
  }
}
