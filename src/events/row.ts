/** Processed events come in; the columns of ClickHouse's `events` go out. Pure. */
import type { Event } from '../spec/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import { asJsonColumn, jsonColumnText } from '../store/json-column.ts'
import type { NativeColumn } from '../store/native.ts'

/** An event with its place in the log and the identifiers it arrived with. */
export interface ProcessedEvent {
  workspaceId: number
  event: Event
  line: string
  /** The identifier that the event hangs on; 0: it belongs to nobody. */
  node: number
  nodes: number[]
  lane: number
  pos: number
  ix: number
}

/** How the insert converts what Native carries as text. */
export const eventSelect = {
  properties: asJsonColumn('properties'),
  revenue: 'toDecimal64OrNull(revenue, 4)',
}

export function eventColumns(rows: ProcessedEvent[], block: number): NativeColumn[] {
  const text = (name: string, read: (row: ProcessedEvent) => string): NativeColumn => ({
    name,
    type: 'String',
    values: rows.map(read),
  })
  const facts = rows.map(row => factsOf(row.event))
  return [
    { name: 'workspace_id', type: 'UInt32', values: rows.map(row => row.workspaceId) },
    { name: 'node', type: 'UInt64', values: rows.map(row => row.node) },
    { name: 'timestamp', type: 'DateTime64(3)', values: rows.map(row => Date.parse(row.event.timestamp)) },
    { name: 'nodes', type: 'Array(UInt64)', values: rows.map(row => row.nodes) },
    text('type', row => row.event.type),
    text('event', row => row.event.event ?? row.event.name ?? ''),
    text('source', row => row.event.source),
    text('group_id', row => groupOf(row.event)),
    text('message_id', row => row.event.messageId),
    { name: 'received_at', type: 'DateTime64(3)', values: rows.map(row => Date.parse(row.event.receivedAt)) },
    ...factColumns.map((name): NativeColumn => ({ name, type: 'String', values: facts.map(fact => fact[name]) })),
    text('properties', row => (row.event.properties ? jsonColumnText(row.event.properties) : '{}')),
    text('body', row => row.line),
    { name: 'block', type: 'UInt64', values: rows.map(() => block) },
    { name: 'lane', type: 'UInt16', values: rows.map(row => row.lane) },
    { name: 'pos', type: 'UInt64', values: rows.map(row => row.pos) },
    { name: 'ix', type: 'UInt16', values: rows.map(row => row.ix) },
  ]
}

const factColumns = [
  'revenue',
  'currency',
  'url',
  'referrer',
  'campaign_source',
  'campaign_medium',
  'campaign_name',
] as const
type Facts = Record<(typeof factColumns)[number], string>

/** What nearly every question needs, under the names that the Segment spec gives it. */
function factsOf(event: Event): Facts {
  const properties = event.properties ?? {}
  const page = objectIn(event.context, 'page')
  const campaign = objectIn(event.context, 'campaign')
  return {
    revenue: amountOf(properties.revenue ?? properties.total ?? properties.value),
    currency: textOf(properties.currency),
    url: textOf(properties.url) || textOf(page.url),
    referrer: textOf(properties.referrer) || textOf(page.referrer),
    campaign_source: textOf(campaign.source),
    campaign_medium: textOf(campaign.medium),
    campaign_name: textOf(campaign.name),
  }
}

/** The company that an event was made for: its own group, or the one that the client keeps in its context. */
function groupOf(event: Event): string {
  return event.groupId ?? textOf(event.context?.groupId)
}

const objectIn = (parent: JsonObject | undefined, key: string): JsonObject => {
  const value = parent?.[key]
  return isJsonObject(value) ? value : {}
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const AMOUNT = /^-?\d{1,14}(\.\d+)?$/

/** A decimal text that fits Decimal(18, 4), or nothing. */
function amountOf(value: Json | undefined): string {
  const text = typeof value === 'number' ? String(value) : textOf(value).trim()
  return AMOUNT.test(text) ? text : ''
}
