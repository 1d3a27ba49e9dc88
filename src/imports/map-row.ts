/** One row of a file in, its events out, or the one reason why it has none. Never both: a row is taken whole or not at all. */
import { hash } from 'node:crypto'
import type { Event } from '../spec/event.ts'
import { defaultIdentityRules } from '../spec/identifier.ts'
import type { Json, JsonObject } from '../spec/json.ts'
import { ValueFault, valueReasons } from './convert.ts'
import { type PreparedField, type PreparedMapping, type PreparedOutput, putAt, type Variant } from './prepare.ts'
import { type Row, rowReasons, type WholeRow } from './row.ts'
import { type SourceRow, textOf } from './source-row.ts'

/** Longest message id that is taken from the file as it stands (Segment's limit); longer ones are hashed. */
const MESSAGE_ID_CHARS_MAX = 100

/** Longest id and event name that the door of the log lets in. */
const ID_CHARS_MAX = 500

/** Why a row makes no events. Closed: each has a test. */
export const rejectReasons = [
  ...rowReasons,
  ...valueReasons,
  'id_too_long',
  'no_identifier',
  'no_group',
  'no_previous_id',
  'no_event_name',
  'no_product',
  'no_timestamp',
  'missing_value',
  'mixed_currencies',
  'lookup_missed',
  'not_selected',
] as const
export type RejectReason = (typeof rejectReasons)[number]

/** The detail names columns, never what stands in them: it may be shown and counted where the row may not. */
export interface Reject {
  reason: RejectReason
  detail: string
  column?: string
}

/** An event of the log before the import gives it a source and a time of receipt; `timestamp` where the row has one. */
export type MappedEvent = Omit<Event, 'source' | 'receivedAt' | 'timestamp'> & { timestamp?: string }

export type MappedRow = { events: MappedEvent[]; reject?: undefined } | { events?: undefined; reject: Reject }

/** Maps one row. Pure: the same mapping, number and text give the same events with the same message ids. */
export function mapRow(prepared: PreparedMapping, row: Row): MappedRow {
  if (row.reject) return { reject: row.reject }
  const source: SourceRow = { values: row.values, joined: [] }
  for (const lookup of prepared.lookups) {
    const key = lookup.key(source)
    const found = key === '' ? undefined : lookup.table.get(key)
    if (!found && lookup.isRequired) return rejectRow('lookup_missed', `nothing is found in ${lookup.as} for its key`)
    source.joined.push(found)
  }
  const events: MappedEvent[] = []
  for (const [index, output] of prepared.outputs.entries()) {
    const variant = chooseVariant(output, source)
    if (!variant) continue
    const made = makeEvent({ prepared, row, source, variant, index })
    if ('reason' in made) return { reject: made }
    events.push(made)
  }
  return events.length > 0 ? { events } : rejectRow('not_selected', 'no part of the mapping is for this row')
}

const rejectRow = (reason: RejectReason, detail: string): MappedRow => ({ reject: { reason, detail } })

function chooseVariant(output: PreparedOutput, source: SourceRow): Variant | undefined {
  if (output.when && !output.when(source)) return undefined
  for (const each of output.cases) if (each.when(source)) return each.variant
  return output.variant
}

interface Making {
  prepared: PreparedMapping
  row: WholeRow
  source: SourceRow
  variant: Variant
  index: number
}

function makeEvent(making: Making): MappedEvent | Reject {
  const { variant, source, prepared } = making
  for (const { column, text } of variant.require) {
    if (text(source) === '') return { reason: 'missing_value', detail: `column ${column} is empty`, column }
  }
  const messageId = messageIdOf(making)
  if (typeof messageId !== 'string') return messageId
  const event: MappedEvent = { messageId, type: variant.type }
  const fault =
    putNames(event, variant, source) ??
    putIds(event, variant, source) ??
    putTimestamp(event, variant, source) ??
    putFields(event, 'traits', variant.traits, source) ??
    putFields(event, 'properties', variant.properties, source) ??
    putFields(event, 'context', variant.context, source) ??
    putExternalIds(event, variant, source)
  if (fault) return fault
  if (variant.rest) putRest(event, variant.rest, source, prepared.columns)
  return missingOf(event, variant) ?? event
}

/** The file's own id, or one made of what the row is: then the same file gives the same ids, also when rows are appended. */
function messageIdOf({ prepared, row, source, variant, index }: Making): string | Reject {
  const suffix = index === 0 ? '' : `#${index}`
  if (variant.messageId) {
    const id = variant.messageId(source)
    if (id === '')
      return { reason: 'missing_value', detail: `messageId needs ${variant.messageIdColumns.join(' and ')}` }
    return id.length + suffix.length <= MESSAGE_ID_CHARS_MAX ? id + suffix : `import-${digest(id)}${suffix}`
  }
  return `import-${digest(`${prepared.mapping.name}\n${row.number}\n${row.raw}`)}${suffix}`
}

const digest = (text: string) => hash('sha256', text, 'base64url')

function putNames(event: MappedEvent, variant: Variant, source: SourceRow): Reject | undefined {
  if (variant.type === 'track') {
    const name = variant.event(source)
    if (name === '') return { reason: 'no_event_name', detail: 'the name of the event is empty' }
    if (name.length > ID_CHARS_MAX) return { reason: 'id_too_long', detail: 'the name of the event is too long' }
    event.event = name
  }
  if (variant.type === 'page' || variant.type === 'screen') {
    const name = variant.pageName(source)
    const category = variant.category(source)
    if (name !== '') event.name = name
    if (category !== '') event.category = category
  }
  return undefined
}

function putIds(event: MappedEvent, variant: Variant, source: SourceRow): Reject | undefined {
  const userId = variant.userId(source)
  const anonymousId = variant.anonymousId(source)
  const groupId = variant.groupId(source)
  if (userId.length > ID_CHARS_MAX || anonymousId.length > ID_CHARS_MAX || groupId.length > ID_CHARS_MAX) {
    return { reason: 'id_too_long', detail: `an id is longer than ${ID_CHARS_MAX} characters` }
  }
  if (userId !== '') event.userId = userId
  if (anonymousId !== '') event.anonymousId = anonymousId
  if (groupId !== '') event.groupId = groupId
  else if (variant.type === 'group') return { reason: 'no_group', detail: 'the id of the company is empty' }
  if (variant.type === 'alias') {
    const previousId = variant.previousId(source)
    if (previousId === '' || userId === '')
      return { reason: 'no_previous_id', detail: 'an alias needs both ids of the person' }
    event.previousId = previousId
  }
  return undefined
}

function putTimestamp(event: MappedEvent, variant: Variant, source: SourceRow): Reject | undefined {
  const field = variant.timestamp
  if (!field) return undefined
  const value = field.read(source)
  if (value instanceof ValueFault) return rejectOf(value, field)
  if (typeof value === 'string') event.timestamp = value
  // What a row says of a person holds without a date, what happened does not.
  else if (variant.kind === 'events')
    return { reason: 'no_timestamp', detail: `${field.column} is empty`, column: field.column }
  return undefined
}

const rejectOf = (fault: ValueFault, field: PreparedField): Reject => ({
  reason: fault.reason,
  detail: `column ${field.column}: ${fault.detail}`,
  column: field.column,
})

function putFields(
  event: MappedEvent,
  name: 'traits' | 'properties' | 'context',
  fields: PreparedField[],
  source: SourceRow,
): Reject | undefined {
  if (fields.length === 0) return undefined
  const target: JsonObject = {}
  let currency = ''
  for (const field of fields) {
    const value = field.read(source)
    if (value instanceof ValueFault) {
      if (field.omitsInvalid) continue
      return rejectOf(value, field)
    }
    if (value === undefined) continue
    if (field.path.length === 1) target[field.path[0] ?? ''] = value
    else putAt(target, field.path, value)
    const said = field.currency?.(source) ?? ''
    if (said === '') continue
    if (currency !== '' && currency !== said) return mixedCurrencies(field)
    currency = said
  }
  if (currency !== '') {
    if (target.currency !== undefined && target.currency !== currency) return mixedCurrencies()
    target.currency = currency
  }
  for (const _ in target) {
    event[name] = target
    break
  }
  return undefined
}

const mixedCurrencies = (field?: PreparedField): Reject => ({
  reason: 'mixed_currencies',
  detail: 'one event can have amounts of one currency only',
  ...(field ? { column: field.column } : {}),
})

/** Identifiers beyond the two of every event travel as Segment's external ids. */
function putExternalIds(event: MappedEvent, variant: Variant, source: SourceRow): Reject | undefined {
  const externalIds: Json[] = []
  for (const field of variant.externalIds) {
    const value = field.read(source)
    if (value instanceof ValueFault) {
      if (field.omitsInvalid) continue
      return rejectOf(value, field)
    }
    const id = textOf(value)
    if (id !== '') externalIds.push({ id, type: field.path[0] ?? '', collection: 'users', encoding: 'none' })
  }
  if (externalIds.length > 0) event.context = { ...event.context, externalIds }
  return undefined
}

function putRest(
  event: MappedEvent,
  place: 'traits' | 'properties',
  { values }: SourceRow,
  columns: ReadonlySet<string>,
): void {
  const rest: JsonObject = {}
  for (const [column, value] of Object.entries(values)) {
    if (columns.has(column) || column === '__proto__') continue
    const isEmpty = value === null || (typeof value === 'string' && value.trim() === '')
    if (!isEmpty) rest[column] = value
  }
  if (Object.keys(rest).length > 0) event[place] = { ...rest, ...event[place] }
}

/** What an event of its kind cannot do without. */
function missingOf(event: MappedEvent, variant: Variant): Reject | undefined {
  if (variant.kind === 'products' && isMissing(event.properties?.product_id) && isMissing(event.properties?.sku)) {
    return { reason: 'no_product', detail: 'both product_id and sku are empty' }
  }
  if (variant.identity === 'required' && !hasIdentifier(event)) {
    return { reason: 'no_identifier', detail: 'the row does not say whose it is' }
  }
  return undefined
}

const isMissing = (value: Json | undefined) => value === undefined || value === null || value === ''

/** Traits and properties that a new workspace takes for identifiers, in both spellings. */
const identifyingKeys = Object.values(defaultIdentityRules.namespaces)
  .flatMap(rule => rule.keys)
  .flatMap(key => [key, key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())])

/** Whether identity finds anything in the event to hold on to. A group joins nobody and does not count. */
export function hasIdentifier({ userId, anonymousId, type, traits, properties, context }: MappedEvent): boolean {
  if (userId !== undefined || anonymousId !== undefined) return true
  if (Array.isArray(context?.externalIds) && context.externalIds.length > 0) return true
  const places = type === 'group' ? [properties] : [traits, properties]
  return places.some(place => place !== undefined && identifyingKeys.some(key => !isMissing(place[key])))
}
