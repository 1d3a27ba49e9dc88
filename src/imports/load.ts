/** An import's file and mapping in, its rows and its mapping made ready out; or every reason why it cannot be read yet. */
import type { Context } from '../context.ts'
import { type Fault, Problem } from '../errors.ts'
import { fileOf, hasFile, lookupOf } from './files.ts'
import type { FileFormat, ImportRow } from './import.ts'
import { type Mapping, parseMapping } from './mapping.ts'
import { missingColumns, type PreparedMapping, prepareMapping } from './prepare.ts'
import { type Checkpoint, type OpenedRows, openRows, readLookups } from './read.ts'
import { FileFault, type Row } from './row.ts'

type Place = Pick<Context, 'config'>

/** Columns named to someone who misspelt one. */
const COLUMNS_SHOWN_MAX = 50

/** @throws FileFault, the errors of the file system */
export async function openImport(
  context: Place,
  row: ImportRow,
  mapping: Mapping | undefined,
  from?: Checkpoint,
): Promise<OpenedRows> {
  const options = { ...(mapping?.format ? { format: mapping.format } : {}), ...(from ? { from } : {}) }
  return openRows(fileOf(context, row.id), options)
}

/** @throws FileFault, the errors of the file system */
export async function prepareImport(context: Place, id: string, mapping: Mapping): Promise<PreparedMapping> {
  const tables = await readLookups(withoutNames(mapping), as => lookupOf(context, id, as))
  return prepareMapping(mapping, tables)
}

/** Lookups are kept under the names that the mapping gives them: what a file is called must not decide what is read. */
const withoutNames = (mapping: Mapping): Mapping => ({
  ...mapping,
  lookups: (mapping.lookups ?? []).map(lookup => ({ ...lookup, file: lookup.as })),
})

/** The mapping as it was checked when it was stored. */
export function storedMapping(document: unknown): Mapping {
  const parsed = parseMapping(document)
  if ('faults' in parsed) throw new Error('a stored mapping is not valid')
  return parsed.mapping
}

export const formatOf = (opened: OpenedRows): FileFormat => ({
  type: opened.format,
  isGzip: opened.isGzip,
  encoding: opened.encoding() ?? null,
  delimiter: opened.delimiter ?? null,
  hasHeader: opened.hasHeader ?? null,
  columns: opened.columns,
})

/** The first rows of the file. @throws Problem `unprocessable` when there is none or it cannot be read */
export async function readHead(
  context: Place,
  row: ImportRow,
  mapping: Mapping | undefined,
  rowsMax: number,
): Promise<{ format: FileFormat; rows: Row[] }> {
  const faults = await faultsOfFile(context, row)
  if (faults.length > 0) throw notReady(faults)
  try {
    const opened = await openImport(context, row, mapping)
    const rows: Row[] = []
    for await (const each of opened.rows) if (rows.push(each) >= rowsMax) break
    return { format: formatOf(opened), rows }
  } catch (error) {
    throw error instanceof FileFault ? notReady([{ path: 'file', message: error.message }]) : error
  }
}

/** The mapping made ready. @throws Problem `unprocessable` with every lookup that is missing or cannot be used */
export async function prepareChecked(context: Place, row: ImportRow, mapping: Mapping): Promise<PreparedMapping> {
  const faults = await faultsOfLookups(context, row, mapping)
  if (faults.length > 0) throw notReady(faults)
  try {
    return await prepareImport(context, row.id, mapping)
  } catch (error) {
    throw error instanceof FileFault ? notReady([{ path: 'mapping.lookups', message: error.message }]) : error
  }
}

/** Throws `unprocessable` with everything that keeps a run from beginning. */
export async function checkReady(context: Place, row: ImportRow): Promise<void> {
  const mapping = row.mapping === null ? undefined : storedMapping(row.mapping)
  const faults = [
    ...(mapping ? [] : [{ path: 'mapping', message: 'There is no mapping yet.' }]),
    ...(await faultsOfFile(context, row)),
    ...(mapping ? await faultsOfLookups(context, row, mapping) : []),
  ]
  if (faults.length > 0 || !mapping) throw notReady(faults)
  const prepared = await prepareChecked(context, row, mapping)
  const { format } = await readHead(context, row, mapping, 1)
  const missing = columnsMissing(prepared, format)
  if (missing.length > 0) throw unknownColumns(missing, format.columns)
}

/** The columns of JSON are known from a sample only: a later row may still bring one. */
export const columnsMissing = (prepared: PreparedMapping, format: FileFormat): string[] =>
  format.type === 'json' || format.type === 'ndjson' ? [] : missingColumns(prepared, format.columns)

async function faultsOfFile(context: Place, row: ImportRow): Promise<Fault[]> {
  if (row.fileName === null) return [{ path: 'file', message: 'There is no file yet: send it to …/file.' }]
  if (row.isFileRemoved) return [{ path: 'file', message: 'The file was removed after its time: send it again.' }]
  if (await hasFile(fileOf(context, row.id))) return []
  return [{ path: 'file', message: 'The file does not lie with this server process: send it again.' }]
}

async function faultsOfLookups(context: Place, row: ImportRow, mapping: Mapping): Promise<Fault[]> {
  const faults: Fault[] = []
  for (const { as, file } of mapping.lookups ?? []) {
    if (row.lookups[as] && (await hasFile(lookupOf(context, row.id, as)))) continue
    faults.push({ path: `lookups.${as}`, message: `${file} is missing: send it to …/lookups/${as}.` })
  }
  return faults
}

const notReady = (faults: Fault[]) =>
  new Problem('unprocessable', faults.length === 1 ? (faults[0]?.message ?? '') : 'The import cannot begin yet.', {
    faults,
  })

const unknownColumns = (missing: string[], columns: string[]) =>
  new Problem('unprocessable', 'The mapping names columns that the file does not have.', {
    hint: `Its columns are: ${columns.slice(0, COLUMNS_SHOWN_MAX).join(', ')}.`,
    faults: missing.map(column => ({ path: 'mapping', message: `The file has no column "${column}".` })),
  })
