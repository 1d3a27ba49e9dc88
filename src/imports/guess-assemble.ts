/** What each column seems to be in, a mapping of the likeliest kind out. */
import type { Role } from './guess-names.ts'
import { canBeTemplate, type Draft, type Has, type Placement, place } from './guess-place.ts'
import type { ColumnView } from './guess-view.ts'
import { type Kind, type Mapping, type Output, parseMapping } from './mapping.ts'

export interface Assembled {
  mapping: Mapping
  kind: { kind: Kind; confidence: number; reason: string }
  placements: Placement[]
  notes: string[]
}

/** Names of the spec for files about what happened, by a word in the file's name. Nothing standard exists for some. */
const eventsByWord: [RegExp, string][] = [
  [/return|refund|credit.?note/, 'Product Returned'],
  [/call/, 'Call Completed'],
  [/ticket|case|support/, 'Ticket Created'],
  [/visit|footfall/, 'Store Visited'],
  [/meeting|appointment/, 'Meeting Held'],
  [/open/, 'Email Opened'],
  [/click/, 'Email Link Clicked'],
  [/bounce/, 'Email Bounced'],
  [/unsubscri/, 'Unsubscribed'],
  [/mail|newsletter/, 'Email Delivered'],
  [/sign.?up|registration/, 'Signed Up'],
  [/subscription/, 'Subscription Started'],
  [/lead/, 'Lead Submitted'],
  [/page.?view|session|hit/, 'Page Viewed'],
]

/** Makes a mapping of the columns. The placements are in their order. */
export function assemble(views: ColumnView[], fileName: string): Assembled {
  const baseName = fileName.replace(/^.*[\\/]/, '').replace(/(\.[a-z0-9]{1,8}){1,2}$/i, '')
  const has = (...wanted: Role[]) => wanted.some(role => views.some(view => view.role === role))
  const kind = chooseKind(views, has, baseName.toLowerCase())
  const draft: Draft = {
    kind: kind.kind,
    ids: {},
    traits: {},
    properties: {},
    context: {},
    personTraits: {},
    timestamp: undefined,
  }
  const placements = views.map(view => place(view, draft, has))
  const notes: string[] = []
  const output = finish(draft, views, { has, baseName: baseName.toLowerCase(), notes })
  const parsed = parseMapping({ name: slugOf(baseName), ...output })
  if ('faults' in parsed) throw new Error(`a guessed mapping must be valid: ${JSON.stringify(parsed.faults)}`)
  return { mapping: parsed.mapping, kind, placements, notes }
}

function chooseKind(views: ColumnView[], has: Has, name: string): Assembled['kind'] {
  const isPerson = has('email', 'phone', 'first_name', 'last_name', 'birthday', 'gender')
  const isProduct = has('product_id', 'sku', 'product_name')
  const isAmount = has('quantity', 'price', 'total')
  if (has('order_id') && (isAmount || isProduct || has('timestamp'))) {
    return { kind: 'events', confidence: 0.9, reason: 'each row has an order number and what was ordered' }
  }
  if (isProduct && has('quantity', 'timestamp')) {
    return { kind: 'events', confidence: 0.8, reason: 'each row has a product with a quantity or a time' }
  }
  if (
    isProduct &&
    !has('user_id', 'email', 'timestamp') &&
    (has('price', 'cost', 'category', 'brand') || /product|item|article|catalog/.test(name))
  ) {
    return { kind: 'products', confidence: 0.85, reason: 'each row has a product, and nobody who buys it' }
  }
  if (has('event') && has('timestamp')) {
    return { kind: 'events', confidence: 0.85, reason: 'each row names what happened and when' }
  }
  const isCompany =
    has('company', 'group_id') && (has('industry', 'employees', 'website') || /compan|account|organi[sz]/.test(name))
  if (isCompany && !has('first_name', 'last_name', 'email', 'birthday')) {
    return { kind: 'companies', confidence: 0.8, reason: 'each row names a company, and no person' }
  }
  if (isPerson)
    return { kind: 'people', confidence: has('email', 'user_id') ? 0.85 : 0.6, reason: 'each row describes a person' }
  if (has('timestamp')) return { kind: 'events', confidence: 0.5, reason: 'each row has a time' }
  if (views.some(view => view.role === 'user_id'))
    return { kind: 'people', confidence: 0.5, reason: 'each row has an id of its own' }
  return { kind: 'people', confidence: 0.2, reason: 'nothing tells what the rows are' }
}

interface Finishing {
  has: Has
  baseName: string
  notes: string[]
}

function finish(draft: Draft, views: ColumnView[], { has, baseName, notes }: Finishing): Output {
  const { kind, ids, traits, properties, context, timestamp } = draft
  const output: Output = { kind, ...ids, ...(timestamp === undefined ? {} : { timestamp }) }
  if (Object.keys(traits).length > 0) output.traits = traits
  if (Object.keys(properties).length > 0) output.properties = properties
  if (Object.keys(context).length > 0) output.context = context
  if (kind === 'companies') output.groupId ??= groupIdOf(views)
  if (kind === 'people') addName(output, has)
  if (kind === 'products' && !has('product_id', 'sku')) nameProduct(output, views)
  if (kind === 'events') finishEvents(output, draft, views, { has, baseName, notes })
  const hasMoney = Object.values(output.properties ?? {}).some(
    spec => typeof spec === 'object' && 'type' in spec && spec.type === 'money',
  )
  const isNamed = has('currency') || views.some(view => view.facts.number?.currency !== undefined)
  if (hasMoney && !isNamed) notes.push('No column names the currency of the amounts: set defaults.currency.')
  return output
}

/** The column that tells companies apart best: a domain before a name. */
function groupIdOf(views: ColumnView[]): string {
  const usable = views.filter(view => canBeTemplate(view.column))
  const best = usable.find(view => view.role === 'website') ?? usable.find(view => view.role === 'company') ?? usable[0]
  return best ? `{${best.column}}` : ''
}

/** A list of products without numbers: their names tell them apart. */
function nameProduct(output: Output, views: ColumnView[]): void {
  const name = views.find(view => view.role === 'product_name')
  if (name && canBeTemplate(name.column)) output.properties = { product_id: `{${name.column}}`, ...output.properties }
}

function addName(output: Output, has: Has): void {
  if (has('name') || !has('first_name') || !has('last_name') || !output.traits) return
  const textOf = (key: string) => (typeof output.traits?.[key] === 'string' ? output.traits[key] : '')
  output.traits.name = `${textOf('firstName')} ${textOf('lastName')}`.trim()
}

function finishEvents(output: Output, draft: Draft, views: ColumnView[], { has, baseName, notes }: Finishing): void {
  output.event ??= eventNameOf(has, views, baseName, notes)
  const userId = views.find(view => view.role === 'user_id' && `{${view.column}}` === output.userId)
  const isKnown = has('email', 'phone', 'loyalty_id') || output.anonymousId !== undefined
  if (!output.userId && !isKnown) {
    output.identity = 'none'
    notes.push('No column says whose the rows are: the events belong to nobody.')
  } else if (userId && userId.facts.empty > 0 && !isKnown) {
    output.identity = 'optional'
    notes.push(`Rows without "${userId.column}" become events that belong to nobody.`)
  }
  if (output.timestamp === undefined) notes.push('No column says when it happened: the time of the import is taken.')
  if (Object.keys(draft.personTraits).length === 0 || !(output.userId || has('email', 'phone'))) return
  const email = output.properties?.email
  const also: Output = {
    kind: 'people',
    ...(output.userId ? { userId: output.userId } : {}),
    ...(output.timestamp === undefined ? {} : { timestamp: output.timestamp }),
    traits: { ...draft.personTraits, ...(email === undefined ? {} : { email }) },
  }
  addName(also, has)
  const mapping = output as Output & { also?: Output[] }
  mapping.also = [
    output.identity === 'optional' && userId ? { ...also, when: { column: userId.column, empty: false } } : also,
  ]
}

function eventNameOf(has: Has, views: ColumnView[], name: string, notes: string[]): string {
  const words = `${name} ${views.map(view => view.column.toLowerCase()).join(' ')}`
  const isReturn = /return|refund/.test(name) || views.some(view => /return.?quantity|return.?date/i.test(view.column))
  if (has('order_id', 'quantity') && (has('product_id', 'sku', 'product_name') || isReturn)) {
    return isReturn ? 'Product Returned' : 'Product Purchased'
  }
  if (has('order_id')) return isReturn ? 'Order Refunded' : 'Order Completed'
  const known = eventsByWord.find(([word]) => word.test(name)) ?? eventsByWord.find(([word]) => word.test(words))
  if (known) return known[1]
  notes.push('Nothing tells what happened: give the event a name.')
  return 'Row Imported'
}

const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'import'
