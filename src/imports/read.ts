/**
 * A file or a stream of bytes in, its rows out one by one, with memory that does not grow with the file. The shell of
 * the readers: it opens, unzips, spools and closes; everything that decides is in the pure files beside it.
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as z from 'zod'
import { decodeText, guessEncoding, isEncoding } from './decode.ts'
import {
  createSplitter,
  type FormatOverrides,
  type FormatType,
  formatOf,
  guessLayout,
  type Layout,
  layoutSchema,
  visibleColumns,
} from './layout.ts'
import type { Lookup, Mapping } from './mapping.ts'
import { byteRanges, openSource, type Source, spool } from './open.ts'
import { openParquet } from './parquet.ts'
import { FileFault, type Row, type RowDraft, type SplitPhase, type Values } from './row.ts'
import { type LookupTable, type LookupTables, textOf } from './source-row.ts'

/** Places to resume from that are kept behind the newest: as many blocks as a consumer may hold unfinished rows of. */
const MARKS_MAX = 256

const markSchema = z.object({
  /** Bytes of the unzipped file before this place. */
  byte: z.int().min(0),
  rows: z.int().min(0),
  phase: z.enum(['start', 'items', 'skipping', 'end']),
})

/** Where a reader can go on: give it back as `from`. Plain JSON, to be stored beside the progress of an import. */
export const checkpointSchema = z.object({
  /** Rows that are finished; the next one given is `row + 1`. */
  row: z.int().min(0),
  head: z.object({ bytes: z.int().min(0), hash: z.string() }),
  encoding: z.string(),
  layout: layoutSchema.optional(),
  mark: markSchema.optional(),
})
export type Checkpoint = z.infer<typeof checkpointSchema>
type Mark = z.infer<typeof markSchema>

export interface ReadOptions {
  /** What is known about the file; the rest is guessed from its first 256 KB. */
  format?: FormatOverrides
  /** Go on behind an earlier reader's finished rows. */
  from?: Checkpoint
  /** For streams of Parquet. Default: the system's directory for temporary files. */
  spoolDirectory?: string
}

export interface OpenedRows {
  format: FormatType
  isGzip: boolean
  /** `ascii` while no other byte has been seen; never for Parquet. */
  encoding(): string | undefined
  delimiter: string | undefined
  /** Whether the first row named the columns; absent where the format names them itself. */
  hasHeader: boolean | undefined
  columns: string[]
  /** Once only. Throws FileFault where the file cannot be read further. */
  rows: AsyncIterable<Row>
  /** Where to go on after `row` rows, all of them finished. */
  checkpoint(row: number): Checkpoint
  /** Bytes of the file as it is stored; the total is unknown for streams. */
  progress(): { bytesRead: number; bytesTotal: number | undefined }
  /** For a reader that is given up before its last row. */
  close(): Promise<void>
}

/**
 * Opens a file (by path) or a stream as rows: CSV, TSV and the like, NDJSON, JSON, Parquet; any of them gzipped.
 * @throws FileFault, the errors of the file system
 */
export async function openRows(input: string | AsyncIterable<Buffer>, options: ReadOptions = {}): Promise<OpenedRows> {
  const source = await openSource(input)
  const isParquet = options.format?.type === 'parquet' || source.head.subarray(0, 4).toString('latin1') === 'PAR1'
  return isParquet ? openParquetRows(source, options) : openTextRows(source, options)
}

const hashOf = (head: Buffer) => createHash('sha256').update(head).digest('base64url')

function checkUnchanged(source: Source, from: Checkpoint | undefined): void {
  if (from && hashOf(source.head.subarray(0, from.head.bytes)) !== from.head.hash) {
    throw new FileFault('changed_file', 'The file is not the one that the import began with.')
  }
}

async function openTextRows(source: Source, options: ReadOptions): Promise<OpenedRows> {
  const { from } = options
  checkUnchanged(source, from)
  const begin =
    from?.layout && from.mark ? { ...from, layout: from.layout, mark: from.mark } : await beginText(source, options)
  const { layout, mark } = begin
  const head = { bytes: source.head.length, hash: hashOf(source.head) }
  const decoding = decodeText(source.from(mark.byte), begin.encoding, mark.byte)
  const marks: (Mark & { encoding: string })[] = [{ ...mark, encoding: begin.encoding }]
  const rows = readText({ layout, mark, marks, decoding, skipRows: from?.row ?? 0 })
  return {
    format: formatOf(layout),
    isGzip: source.isGzip,
    encoding: decoding.encoding,
    delimiter: layout.kind === 'delimited' ? layout.delimiter : undefined,
    hasHeader: layout.kind === 'delimited' ? layout.header : undefined,
    columns: visibleColumns(layout),
    rows,
    checkpoint(row) {
      const { encoding, ...place } = marks.findLast(candidate => candidate.rows <= row) ?? {
        ...mark,
        encoding: begin.encoding,
      }
      return { row, head, encoding, layout, mark: place }
    },
    progress: source.progress,
    close: async () => {
      await rows.return(undefined)
    },
  }
}

/** Tells from the head of a file how to read it and where its first row begins. */
async function beginText(
  source: Source,
  options: ReadOptions,
): Promise<{ encoding: string; layout: Layout; mark: Mark }> {
  const said = options.format ?? {}
  if (said.encoding !== undefined && !isEncoding(said.encoding)) {
    throw new FileFault('unknown_encoding', `No encoding is called "${said.encoding}".`)
  }
  const { encoding, bomBytes } = guessEncoding(source.head, said.encoding)
  const sample = decodeText(oneChunk(source.head.subarray(bomBytes)), encoding, bomBytes)
  let text = ''
  for await (const block of sample.blocks) text += block.text
  const { layout, headerChars } = guessLayout(text, source.isWhole, said)
  const headerBytes = sample.bytesOf(text.slice(0, headerChars))
  if (headerBytes === undefined) {
    throw new FileFault(
      'unreadable_header',
      `The first row is not text in ${encoding}; name the encoding (format.encoding).`,
    )
  }
  const phase: SplitPhase = layout.kind === 'items' ? 'start' : 'items'
  return { encoding, layout, mark: { byte: bomBytes + headerBytes, rows: 0, phase } }
}

async function* oneChunk(chunk: Buffer): AsyncGenerator<Buffer> {
  yield chunk
}

interface TextReading {
  layout: Layout
  mark: Mark
  marks: (Mark & { encoding: string })[]
  decoding: ReturnType<typeof decodeText>
  skipRows: number
}

async function* readText({ layout, mark, marks, decoding, skipRows }: TextReading): AsyncGenerator<Row> {
  const splitter = createSplitter(layout, mark.phase)
  let carry = ''
  let number = mark.rows
  for await (const block of decoding.blocks) {
    const text = carry === '' ? block.text : carry + block.text
    const { drafts, consumed } = splitter.split(text, block.isLast)
    carry = text.slice(consumed)
    const byte = block.endByte - (decoding.bytesOf(carry) ?? Number.NaN)
    // In the frame around a list of JSON a reader cannot begin.
    if (!Number.isNaN(byte) && splitter.phase() !== 'start') {
      const place = { byte, rows: number + drafts.length, phase: splitter.phase(), encoding: decoding.encoding() }
      marks.push(place)
      if (marks.length > MARKS_MAX) marks.shift()
    }
    for (const draft of drafts) {
      number += 1
      if (number > skipRows) yield numberRow(draft, number)
    }
  }
}

const numberRow = (draft: RowDraft, number: number): Row =>
  draft.reject
    ? { number, raw: draft.raw, cells: draft.cells, reject: draft.reject }
    : { number, raw: draft.raw, values: draft.values }

async function openParquetRows(source: Source, options: ReadOptions): Promise<OpenedRows> {
  checkUnchanged(source, options.from)
  const spooled = source.path === undefined ? await spool(source, options.spoolDirectory ?? tmpdir()) : undefined
  const close = async () => {
    if (spooled !== undefined) await rm(spooled, { force: true })
  }
  try {
    const parquet = await openParquet(await byteRanges(source.path ?? spooled ?? ''))
    const skipRows = options.from?.row ?? 0
    const state = { row: skipRows }
    const head = { bytes: source.head.length, hash: hashOf(source.head) }
    return {
      format: 'parquet',
      isGzip: source.isGzip,
      encoding: () => undefined,
      delimiter: undefined,
      hasHeader: undefined,
      columns: parquet.columns,
      rows: numberParquet(parquet.read(skipRows), state, close),
      checkpoint: row => ({ row, head, encoding: 'utf-8' }),
      progress: () => {
        const bytesTotal = source.progress().bytesTotal
        // Column by column says nothing about rows: report the share of rows as that share of the bytes.
        return { bytesRead: Math.round(((bytesTotal ?? 0) * state.row) / Math.max(parquet.rowCount, 1)), bytesTotal }
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function* numberParquet(
  stretches: AsyncIterable<RowDraft[]>,
  state: { row: number },
  close: () => Promise<void>,
): AsyncGenerator<Row> {
  try {
    for await (const drafts of stretches) {
      for (const draft of drafts) {
        state.row += 1
        yield numberRow(draft, state.row)
      }
    }
  } finally {
    await close()
  }
}

/** Most rows of a lookup: it is held in memory. */
const LOOKUP_ROWS_MAX = 500_000

/**
 * Reads the small files that a mapping joins to each row.
 * @param locate gives the path of a lookup's file; it decides which files may be read
 * @throws FileFault, also where the key column is missing or the file is too long
 */
export async function readLookups(mapping: Mapping, locate: (file: string) => string): Promise<LookupTables> {
  const tables = new Map<string, LookupTable>()
  for (const lookup of mapping.lookups ?? []) tables.set(lookup.as, await readLookup(lookup, locate(lookup.file)))
  return tables
}

async function readLookup(lookup: Lookup, path: string): Promise<LookupTable> {
  const table = new Map<string, Values>()
  const opened = await openRows(path)
  if (!opened.columns.includes(lookup.key)) {
    await opened.close()
    throw new FileFault('unusable_lookup', `${lookup.file} has no column "${lookup.key}".`)
  }
  for await (const row of opened.rows) {
    if (row.reject) throw new FileFault('unusable_lookup', `Row ${row.number} of ${lookup.file} cannot be read.`)
    const key = textOf(row.values[lookup.key])
    // The first row of a key counts, whatever order later ones are added in.
    if (key !== '' && !table.has(key)) table.set(key, row.values)
    if (table.size > LOOKUP_ROWS_MAX) {
      throw new FileFault('unusable_lookup', `${lookup.file} has more than ${LOOKUP_ROWS_MAX} rows.`)
    }
  }
  return table
}
