/** What an import is. In: its row in PostgreSQL. Out: what the API says of it, its speed and the time that is left included. */
import { z } from 'zod'
import { jsonSchema } from '../spec/json.ts'
import { formatTypes } from './layout.ts'
import type { Checkpoint } from './read.ts'

export const importStates = ['created', 'queued', 'running', 'done', 'failed', 'stopped'] as const
export type ImportState = (typeof importStates)[number]

/** How a file was read. */
export const fileFormatSchema = z.object({
  type: z.enum(formatTypes),
  isGzip: z.boolean(),
  encoding: z.string().nullable(),
  delimiter: z.string().nullable(),
  hasHeader: z.boolean().nullable(),
  columns: z.array(z.string()),
})
export type FileFormat = z.infer<typeof fileFormatSchema>

/** What became of the rows of a file up to some row. */
export interface Counts {
  rows: number
  events: number
  stored: number
  deduplicated: number
  rejected: number
  rejectedByReason: Record<string, number>
}

export const noCounts = (): Counts => ({
  rows: 0,
  events: 0,
  stored: 0,
  deduplicated: 0,
  rejected: 0,
  rejectedByReason: {},
})

export interface ImportRow extends Counts {
  workspaceId: number
  id: string
  name: string
  source: string | null
  state: ImportState
  /** A checked mapping document. */
  mapping: unknown
  fileName: string | null
  fileBytes: number | null
  lookups: Record<string, { name: string; bytes: number }>
  format: FileFormat | null
  checkpoint: Checkpoint | null
  rejectsBytes: number
  bytesRead: number
  errorCode: string | null
  errorMessage: string | null
  attempt: number
  isStopRequested: boolean
  resumedAt: Date | null
  resumedRows: number
  resumedBytes: number
  progressedAt: Date | null
  createdBy: string | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  isFileRemoved: boolean
}

/** Of a list: mappings may be megabytes. */
export type ImportSummaryRow = Omit<ImportRow, 'mapping' | 'lookups' | 'format' | 'checkpoint'>

const summaryFields = {
  id: z.uuid(),
  name: z.string(),
  sourceId: z.string().nullable().describe('The source of its events; null until the first run, unless it was named.'),
  state: z.enum(importStates),
  file: z
    .object({ name: z.string(), bytes: z.number().int(), isRemoved: z.boolean() })
    .nullable()
    .describe('Removed from the server some days after the import is done.'),
  rows: z.number().int().describe('Rows that are finished: each became events or is rejected.'),
  events: z.number().int().describe('Events that the finished rows made: stored + deduplicated.'),
  stored: z.number().int(),
  deduplicated: z.number().int().describe('Events that were there already.'),
  rejected: z.number().int().describe('Rows that made no events; see …/rejects.'),
  rejectedByReason: z.record(z.string(), z.number().int()),
  bytesRead: z.number().int(),
  bytesTotal: z.number().int().nullable(),
  rowsPerSecond: z.number().nullable().describe('Since it was last taken up.'),
  secondsLeft: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdBy: z.string().nullable().describe('The account; null for API keys.'),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
}
export const importSummarySchema = z.object(summaryFields).meta({ id: 'ImportSummary' })
export const importSchema = z
  .object({
    ...summaryFields,
    mapping: jsonSchema.describe('null while there is none'),
    lookups: z.array(z.object({ as: z.string(), name: z.string(), bytes: z.number().int() })),
    format: fileFormatSchema.nullable().describe('How the file was read; null before the first run.'),
  })
  .meta({ id: 'Import' })

export function presentSummary(row: ImportSummaryRow): z.input<typeof importSummarySchema> {
  return {
    id: row.id,
    name: row.name,
    sourceId: row.source,
    state: row.state,
    file:
      row.fileName === null ? null : { name: row.fileName, bytes: row.fileBytes ?? 0, isRemoved: row.isFileRemoved },
    rows: row.rows,
    events: row.events,
    stored: row.stored,
    deduplicated: row.deduplicated,
    rejected: row.rejected,
    rejectedByReason: row.rejectedByReason,
    bytesRead: row.state === 'done' ? (row.fileBytes ?? 0) : row.bytesRead,
    bytesTotal: row.fileBytes,
    ...speedOf(row),
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}

export function presentImport(row: ImportRow): z.input<typeof importSchema> {
  return {
    ...presentSummary(row),
    mapping: (row.mapping ?? null) as z.input<typeof jsonSchema>,
    lookups: Object.entries(row.lookups).map(([as, { name, bytes }]) => ({ as, name, bytes })),
    format: row.format,
  }
}

/** Over all of the last stretch: an average that is steady, and right for files whose rows are alike. */
function speedOf(row: ImportSummaryRow): { rowsPerSecond: number | null; secondsLeft: number | null } {
  const until = row.finishedAt ?? row.progressedAt
  const seconds = row.resumedAt && until ? (until.getTime() - row.resumedAt.getTime()) / 1000 : 0
  if (seconds <= 0) return { rowsPerSecond: null, secondsLeft: null }
  const bytesPerSecond = (row.bytesRead - row.resumedBytes) / seconds
  const bytesLeft = Math.max(0, (row.fileBytes ?? 0) - row.bytesRead)
  return {
    rowsPerSecond: Math.round((row.rows - row.resumedRows) / seconds),
    secondsLeft: row.state === 'running' && bytesPerSecond > 0 ? Math.ceil(bytesLeft / bytesPerSecond) : null,
  }
}
