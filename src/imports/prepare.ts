/**
 * A checked mapping and its lookup tables in, a mapping made ready for rows out: every column, template, format and
 * condition is taken apart once, so that a row costs microseconds.
 */
import type { EventType } from '../spec/event.ts'
import type { Json, JsonObject } from '../spec/json.ts'
import { compileCondition } from './condition.ts'
import {
  compileReader,
  type Defaults,
  instantReader,
  isAlready,
  numberStyleOf,
  splitMoney,
  type TextReader,
  type ValueFault,
} from './convert.ts'
import type { Case, FieldSpec, Kind, Lookup, Mapping, Output, TypedField } from './mapping.ts'
import { type CellReader, compileCell, type LookupTables, type SourceRow, textOf } from './source-row.ts'
import { columnsOf, fillTemplate, parseTemplate } from './template.ts'

/** A value, nothing, or why it cannot be read. */
export type FieldReader = (source: SourceRow) => Json | undefined | ValueFault
export type TextField = (source: SourceRow) => string

export interface PreparedField {
  path: string[]
  /** What to name when the value cannot be read. */
  column: string
  read: FieldReader
  omitsInvalid: boolean
  /** Of money: its currency, empty where none is said. */
  currency?: TextField
}

/** One way of making an event: the output itself, or one of its cases. */
export interface Variant {
  kind: Kind
  type: EventType
  event: TextField
  pageName: TextField
  category: TextField
  userId: TextField
  anonymousId: TextField
  groupId: TextField
  previousId: TextField
  identity: 'required' | 'optional' | 'none'
  externalIds: PreparedField[]
  timestamp: PreparedField | undefined
  /** Nothing: made from the row. A text that is empty: one of its columns is. */
  messageId: TextField | undefined
  messageIdColumns: string[]
  traits: PreparedField[]
  properties: PreparedField[]
  context: PreparedField[]
  rest: 'traits' | 'properties' | undefined
  require: { column: string; text: TextField }[]
}

export interface PreparedOutput {
  when: ((source: SourceRow) => boolean) | undefined
  cases: { when: (source: SourceRow) => boolean; variant: Variant }[]
  variant: Variant
}

export interface PreparedLookup {
  as: string
  key: TextField
  isRequired: boolean
  table: LookupTables extends ReadonlyMap<string, infer Table> ? Table : never
}

export interface PreparedMapping {
  mapping: Mapping
  lookups: PreparedLookup[]
  outputs: PreparedOutput[]
  /** Columns of the file that the mapping names; `rest` takes the others. */
  columns: ReadonlySet<string>
}

const defaultEvent: { [kind in Kind]?: string } = { products: 'Product Updated' }
const defaultIdentity: { [kind in Kind]: Variant['identity'] } = {
  people: 'required',
  companies: 'optional',
  products: 'none',
  events: 'required',
}

/**
 * Makes a mapping ready.
 * @param tables the lookups' files by their name (`as`); see `readLookups`
 */
export function prepareMapping(mapping: Mapping, tables: LookupTables = new Map()): PreparedMapping {
  const compiler = createCompiler(mapping.lookups ?? [], mapping.defaults ?? {})
  const lookups = (mapping.lookups ?? []).map(lookup => {
    const table = tables.get(lookup.as)
    if (!table) throw new Error(`lookup "${lookup.as}" was not read`)
    return { as: lookup.as, key: compiler.text(lookup.column), isRequired: lookup.required ?? false, table }
  })
  const outputs = [mapping, ...(mapping.also ?? [])].map(output => prepareOutput(output, mapping, compiler))
  return { mapping, lookups, outputs, columns: compiler.columns }
}

/**
 * Columns that a mapping names and a file does not have. For files whose columns are told by their head (CSV, Parquet);
 * those of JSON are known from a sample only, and a later row may still bring one.
 */
export function missingColumns({ columns, mapping }: PreparedMapping, ofFile: readonly string[]): string[] {
  const lookups = mapping.lookups ?? []
  const isThere = (column: string) =>
    ofFile.some(each => column === each || column.startsWith(`${each}.`) || each.startsWith(`${column}.`)) ||
    lookups.some(lookup => column.startsWith(`${lookup.as}.`))
  return [...columns].filter(column => !isThere(column))
}

function prepareOutput(output: Output, mapping: Mapping, compiler: Compiler): PreparedOutput {
  const inherited = output === mapping ? output : { messageId: mapping.messageId, ...output }
  return {
    when: output.when && compiler.condition(output.when),
    cases: (output.cases ?? []).map(each => ({
      when: compiler.condition(each.when),
      variant: prepareVariant(applyCase(inherited, each), compiler),
    })),
    variant: prepareVariant(inherited, compiler),
  }
}

/** A case replaces the fields it names; of traits, properties and context it replaces single entries. */
function applyCase(output: Output, { when: _, ...changes }: Case): Output {
  return {
    ...output,
    ...changes,
    ...mergeFields('traits', output, changes),
    ...mergeFields('properties', output, changes),
    ...mergeFields('context', output, changes),
  }
}

type FieldsName = 'traits' | 'properties' | 'context'
function mergeFields(name: FieldsName, output: Output, changes: Partial<Output>): Partial<Output> {
  return changes[name] === undefined ? {} : { [name]: { ...output[name], ...changes[name] } }
}

function prepareVariant(output: Output, compiler: Compiler): Variant {
  const { kind } = output
  const template = (text: string | undefined) => compiler.template(text)
  return {
    kind,
    type: typeOf(output),
    event: template(output.event ?? defaultEvent[kind]),
    pageName: template(output.pageName),
    category: template(output.category),
    userId: template(output.userId),
    anonymousId: template(output.anonymousId),
    groupId: template(output.groupId),
    previousId: template(output.previousId),
    identity: output.identity ?? defaultIdentity[kind],
    externalIds: compiler.fields(output.externalIds, false),
    timestamp: compiler.timestamp(output.timestamp),
    messageId: output.messageId === undefined ? undefined : compiler.filled(output.messageId),
    messageIdColumns: output.messageId === undefined ? [] : columnsOf(parseTemplate(output.messageId)),
    traits: compiler.fields(output.traits),
    properties: compiler.fields(output.properties),
    context: compiler.fields(output.context),
    rest: output.rest,
    require: (output.require ?? []).map(column => ({ column, text: compiler.text(column) })),
  }
}

function typeOf(output: Output): EventType {
  if (output.kind === 'people') return 'identify'
  if (output.kind === 'companies') return 'group'
  return output.kind === 'products' ? 'track' : (output.type ?? 'track')
}

type Compiler = ReturnType<typeof createCompiler>

function createCompiler(lookups: readonly Lookup[], defaults: Defaults) {
  const columns = new Set<string>()
  const style = numberStyleOf({}, defaults)
  const nothing = new Set(defaults.empty)

  const cell = (column: string): CellReader => {
    columns.add(column)
    return compileCell(column, lookups)
  }
  const plainText = (column: string): TextField => {
    const read = cell(column)
    return source => textOf(read(source))
  }
  const text = (column: string): TextField => {
    const read = plainText(column)
    if (nothing.size === 0) return read
    return source => {
      const found = read(source)
      return nothing.has(found) ? '' : found
    }
  }
  const template = (written: string | undefined): TextField => {
    if (written === undefined) return () => ''
    const parts = parseTemplate(written)
    const readers = new Map(columnsOf(parts).map(column => [column, text(column)]))
    if (readers.size === 0) {
      const constant = fillTemplate(parts, () => '') ?? ''
      return () => constant
    }
    return source => fillTemplate(parts, column => readers.get(column)?.(source) ?? '') ?? ''
  }

  return {
    columns: columns as ReadonlySet<string>,
    text,
    template,
    /** A template that says nothing unless all of its columns do. */
    filled(written: string): TextField {
      const readers = columnsOf(parseTemplate(written)).map(text)
      const fill = template(written)
      return source => (readers.every(read => read(source) !== '') ? fill(source) : '')
    },
    condition: (condition: Parameters<typeof compileCondition>[0]) => compileCondition(condition, plainText, style),
    timestamp(spec: Output['timestamp']): PreparedField | undefined {
      if (spec === undefined) return undefined
      const {
        column,
        text: written,
        format,
        zone,
      } = typeof spec === 'string' ? { text: spec } : { text: undefined, ...spec }
      const read = column === undefined ? template(written) : text(column)
      const convert = instantReader(format, zone ?? defaults.zone)
      return {
        path: ['timestamp'],
        column: column ?? written ?? '',
        omitsInvalid: false,
        read: source => {
          const found = read(source)
          return found === '' ? undefined : convert(found, '')
        },
      }
    },
    fields: (specs: { [name: string]: FieldSpec } | undefined, isNested = true): PreparedField[] =>
      Object.entries(specs ?? {}).map(([name, spec]) => ({
        path: isNested ? name.split('.') : [name],
        ...prepareField(spec, { cell, text, template, defaults }),
      })),
  }
}

interface FieldTools {
  cell: (column: string) => CellReader
  text: (column: string) => TextField
  template: (written: string | undefined) => TextField
  defaults: Defaults
}

function prepareField(spec: FieldSpec, tools: FieldTools): Omit<PreparedField, 'path'> {
  if (typeof spec === 'string') {
    const fill = tools.template(spec)
    return { column: spec, omitsInvalid: false, read: source => fill(source) || undefined }
  }
  if ('value' in spec) return { column: '', omitsInvalid: false, read: () => spec.value }
  const field: Omit<PreparedField, 'path'> = {
    column: spec.column ?? spec.text ?? '',
    omitsInvalid: spec.invalid === 'omit',
    read: typedReader(spec, tools),
  }
  return spec.type === 'money' ? { ...field, currency: currencyReader(spec, tools) } : field
}

function typedReader(spec: TypedField, tools: FieldTools): FieldReader {
  const cell: CellReader = spec.column === undefined ? tools.template(spec.text) : tools.cell(spec.column)
  const convert: TextReader = compileReader(spec, tools.defaults)
  const nothing = new Set(spec.empty ?? tools.defaults.empty)
  const times = 'times' in spec ? spec.times : undefined
  const factor = times === undefined ? () => '' : tools.text(times)
  const keepsBlanks = spec.type === 'string' && spec.trim === false
  return source => {
    const value = cell(source)
    if (value !== undefined && value !== null && times === undefined && isAlready(spec.type, value)) return value
    const found = textOf(value)
    if (found === '' || nothing.has(found)) return spec.default
    return convert(keepsBlanks && typeof value === 'string' ? value : found, factor(source))
  }
}

/** The currency of an amount: what the mapping says; where it says nothing, what stands beside the amount. */
function currencyReader(spec: Extract<TypedField, { type: 'money' }>, tools: FieldTools): TextField {
  const said = spec.currency ?? tools.defaults.currency
  if (said !== undefined) return tools.template(said)
  const read = spec.column === undefined ? tools.template(spec.text) : tools.text(spec.column)
  return source => splitMoney(read(source)).currency ?? ''
}

/** Puts a value at a path of an object, making objects on the way. */
export function putAt(target: JsonObject, path: string[], value: Json): void {
  let at = target
  for (let index = 0; index < path.length - 1; index += 1) {
    const key = path[index] ?? ''
    const next = at[key]
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) at = next
    else {
      const made: JsonObject = {}
      at[key] = made
      at = made
    }
  }
  at[path[path.length - 1] ?? ''] = value
}
