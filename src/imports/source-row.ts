/** A row and the lookup rows that belong to it in, single cells out: how a mapping reaches what it names. */
import { isJsonObject, type Json } from '../spec/json.ts'
import type { Lookup } from './mapping.ts'
import type { Values } from './row.ts'

/** A small file read into memory, by the text of its key. */
export type LookupTable = ReadonlyMap<string, Values>
export type LookupTables = ReadonlyMap<string, LookupTable>

/** One row with what it was joined to, in the order of the mapping's lookups. */
export interface SourceRow {
  values: Values
  joined: (Values | undefined)[]
}

export type CellReader = (source: SourceRow) => Json | undefined

/** A cell as text without blanks around it; empty for what is not there. */
export function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value.trim()
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Makes the reader of a column: of a lookup, of the file, or of a path into a value that is an object. */
export function compileCell(column: string, lookups: readonly Lookup[]): CellReader {
  const index = lookups.findIndex(lookup => column.startsWith(`${lookup.as}.`))
  const lookup = lookups[index]
  if (lookup) {
    const name = column.slice(lookup.as.length + 1)
    return ({ joined }) => joined[index]?.[name]
  }
  // A row is a plain object: what it inherits is not one of its cells.
  if (column in Object.prototype) return ({ values }) => (Object.hasOwn(values, column) ? values[column] : undefined)
  if (!column.includes('.')) return ({ values }) => values[column]
  const path = column.split('.')
  return ({ values }) => values[column] ?? readPath(values, path)
}

function readPath(values: Values, path: string[]): Json | undefined {
  let value: Json | undefined = values
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
