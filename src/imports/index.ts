/** What other rooms may import of imports: its API and its background work; reading files and mapping their rows. */
export type { ValueReason } from './convert.ts'
export { type ColumnGuess, type ColumnQuestion, GUESS_ROWS_MAX, guessMapping, type MappingGuess } from './guess.ts'
export { importJobs } from './jobs.ts'
export { type FormatOverrides, type FormatType, formatTypes } from './layout.ts'
export { type MappedEvent, type MappedRow, mapRow, type Reject, type RejectReason, rejectReasons } from './map-row.ts'
export {
  type Condition,
  type FieldSpec,
  type Kind,
  kinds,
  type Mapping,
  type MappingFault,
  mappingJsonSchema,
  mappingSchema,
  parseMapping,
} from './mapping.ts'
export { missingColumns, type PreparedMapping, prepareMapping } from './prepare.ts'
export { type ColumnStatistics, PREVIEW_ROWS_MAX, type Preview, preview } from './preview.ts'
export {
  type Checkpoint,
  checkpointSchema,
  type OpenedRows,
  openRows,
  type ReadOptions,
  readLookups,
} from './read.ts'
export { createRejectsWriter, type RejectsWriter } from './rejects.ts'
export { importRoutes } from './routes.ts'
export { FileFault, type FileReason, fileReasons, type Row } from './row.ts'
export type { LookupTables } from './source-row.ts'
