/** One column and what it seems to be in; its place in a mapping out, and the question that goes with it. */
import { keyOf, type Role } from './guess-names.ts'
import { type ColumnView, typeOf } from './guess-view.ts'
import { type FieldSpec, type Kind, type Mapping, TEXT_CHARS_MAX, type TypedField } from './mapping.ts'

/** Names such as `id` and `record_id` are no surer than this to be the number of a person. */
const WEAK_ID_SURE_MAX = 0.5

/** Where one column goes. */
export interface Placement {
  role: Role
  target: string | undefined
  reason?: string
  question?: ColumnQuestion
}

export interface ColumnQuestion {
  text: string
  /** The likelier answer first; to take one, put its value at its target in the mapping. */
  options: { label: string; target: string; value: FieldSpec | NonNullable<Mapping['timestamp']> }[]
}

/** Whether some column has one of these roles. */
export type Has = (...roles: Role[]) => boolean

const traitOf: { [role in Role]?: string } = {
  email: 'email',
  phone: 'phone',
  loyalty_id: 'loyaltyId',
  name: 'name',
  first_name: 'firstName',
  last_name: 'lastName',
  salutation: 'salutation',
  birthday: 'birthday',
  age: 'age',
  gender: 'gender',
  job_title: 'title',
  company: 'company.name',
  website: 'website',
  industry: 'industry',
  employees: 'employees',
  street: 'address.street',
  city: 'address.city',
  state: 'address.state',
  postal_code: 'address.postalCode',
  country: 'address.country',
  created_at: 'createdAt',
  description: 'description',
}
const propertyOf: { [role in Role]?: string } = {
  email: 'email',
  phone: 'phone',
  loyalty_id: 'loyalty_id',
  order_id: 'order_id',
  line: 'line',
  product_id: 'product_id',
  sku: 'sku',
  product_name: 'name',
  category: 'category',
  subcategory: 'subcategory',
  brand: 'brand',
  description: 'description',
  quantity: 'quantity',
  price: 'price',
  cost: 'cost',
  total: 'revenue',
  discount: 'discount',
  tax: 'tax',
  profit: 'profit',
  currency: 'currency',
  coupon: 'coupon',
  channel: 'channel',
  url: 'url',
  country: 'country',
  city: 'city',
  state: 'state',
  postal_code: 'postal_code',
}
const contextOf: { [role in Role]?: string } = { campaign: 'campaign.name' }
const personRoles: Role[] = ['name', 'first_name', 'last_name', 'birthday', 'gender', 'salutation', 'age', 'job_title']

/** A mapping while its columns are being placed. */
export interface Draft {
  kind: Kind
  ids: { userId?: string; anonymousId?: string; groupId?: string; messageId?: string; event?: string }
  traits: Record<string, FieldSpec>
  properties: Record<string, FieldSpec>
  context: Record<string, FieldSpec>
  /** Of events that also describe who caused them. */
  personTraits: Record<string, FieldSpec>
  timestamp: Mapping['timestamp']
}

/** Places one column. */
export function place(view: ColumnView, draft: Draft, has: Has): Placement {
  const { column, role } = view
  if (role === 'omit' || column === '' || column.length > NAME_CHARS_MAX) return { role: 'omit', target: undefined }
  const id = canBeTemplate(column) ? placeId(view, draft, has) : undefined
  if (id) return id
  const isEvents = draft.kind === 'events'
  if (isEvents && (role === 'timestamp' || (role === 'created_at' && !has('timestamp'))))
    return placeTimestamp(view, draft)
  if (isEvents && contextOf[role]) return put(view, draft, 'context', contextOf[role])
  if (isEvents && personRoles.includes(role) && draft.ids.userId !== '')
    return put(view, draft, 'personTraits', traitOf[role] ?? '')
  const isAboutPerson = draft.kind === 'people' || draft.kind === 'companies'
  if (isAboutPerson) {
    if (draft.kind === 'companies' && role === 'company') return put(view, draft, 'traits', 'name')
    return put(view, draft, 'traits', traitOf[role] ?? keyOf(column, 'camel'))
  }
  return put(view, draft, 'properties', propertyOf[role] ?? keyOf(column, 'snake'))
}

/** Columns that say who, which or what, and so stand beside the fields of a row. */
function placeId(view: ColumnView, draft: Draft, has: Has): Placement | undefined {
  const { column, role, facts } = view
  const take = (target: keyof Draft['ids']): Placement => {
    draft.ids[target] = `{${column}}`
    return { role, target }
  }
  const isUnique = facts.empty === 0 && facts.distinct === facts.filled
  if (role === 'user_id' && (draft.kind === 'people' || draft.kind === 'events')) {
    if (view.sure > WEAK_ID_SURE_MAX) return take('userId')
    // A record's own number would keep two records of one person apart for ever, where e-mail and phone can join them.
    if (draft.kind === 'people' && !has('email', 'phone')) return take('userId')
    return askWhoseId(view, draft)
  }
  if (role === 'user_id' && draft.kind === 'companies' && isUnique && !draft.ids.groupId)
    return { ...take('groupId'), role: 'group_id' }
  if (role === 'anonymous_id') return take('anonymousId')
  if (role === 'group_id') return take('groupId')
  if (role === 'event' && draft.kind === 'events') return take('event')
  return role === 'message_id' && isUnique ? take('messageId') : undefined
}

function askWhoseId(view: ColumnView, draft: Draft): Placement {
  const { column } = view
  const isPeople = draft.kind === 'people'
  const placement = put(view, draft, isPeople ? 'traits' : 'properties', keyOf(column, isPeople ? 'camel' : 'snake'))
  const question: ColumnQuestion = {
    text: `Does "${column}" number people, or the records about them?`,
    options: [
      { label: 'Records', target: placement.target ?? '', value: specOf(view) },
      { label: 'People', target: 'userId', value: `{${column}}` },
    ],
  }
  return {
    role: isPeople ? 'trait' : 'property',
    target: placement.target,
    reason: 'an id, but not surely of a person',
    question,
  }
}

type Section = 'traits' | 'properties' | 'context' | 'personTraits'

function put(view: ColumnView, draft: Draft, section: Section, wanted: string): Placement {
  const fields = draft[section]
  const isFree = (key: string) =>
    !Object.keys(fields).some(taken => taken === key || taken.startsWith(`${key}.`) || key.startsWith(`${taken}.`))
  let key = wanted
  for (let count = 2; !isFree(key); count += 1) key = `${wanted.replaceAll('.', '_')}_${count}`
  fields[key] = specOf(view)
  const target = section === 'personTraits' ? `also.0.traits.${key}` : `${section}.${key}`
  const role = view.role === 'property' && (section === 'traits' || section === 'personTraits') ? 'trait' : view.role
  return { role, target, ...questionOf(view, target) }
}

function placeTimestamp(view: ColumnView, draft: Draft): Placement {
  const { column, dates } = view
  const make = (formats: string[]) => ({ column, format: oneOrMore(formats) })
  draft.timestamp = make(dates?.formats ?? ['iso'])
  const question = dates?.question && {
    text: dates.question.text,
    options: dates.question.options.map(option => ({
      label: option.label,
      target: 'timestamp',
      value: make(option.formats),
    })),
  }
  return { role: 'timestamp', target: 'timestamp', ...(question ? { question } : {}) }
}

const oneOrMore = (formats: string[]): string | string[] => (formats.length === 1 && formats[0] ? formats[0] : formats)

/** Longer names are headings of a report rather than columns; a mapping has room for no more. */
const NAME_CHARS_MAX = TEXT_CHARS_MAX / 2

/** A name with braces cannot stand between braces. */
export const canBeTemplate = (column: string) => !/[{}]/.test(column) && column === column.trim()

/** How a column is read: as its bare text where no more can be told. */
function specOf(view: ColumnView): FieldSpec {
  const { column, facts, dates } = view
  const type = typeOf(view)
  const { decimal = '.', thousands = '' } = facts.number?.style ?? {}
  const nothing = facts.number?.nothing ?? []
  const style = { ...(decimal === '.' ? {} : { decimal }), ...(thousands === '' ? {} : { thousands }) }
  switch (type) {
    case 'date':
    case 'datetime':
      return { column, type, format: oneOrMore(dates?.formats ?? ['iso']) }
    case 'money':
    case 'number':
    case 'integer':
      return { column, type, ...style, ...(nothing.length > 0 ? { empty: nothing } : {}) } as TypedField
    case 'string':
      return canBeTemplate(column) ? `{${column}}` : { column, type }
    default:
      return { column, type } as TypedField
  }
}

function questionOf(view: ColumnView, target: string): { question?: ColumnQuestion } {
  const { column, dates, facts } = view
  const type = typeOf(view)
  if (dates?.question) {
    const { text, options } = dates.question
    const read = type === 'datetime' ? ('datetime' as const) : ('date' as const)
    return {
      question: {
        text,
        options: options.map(({ label, formats }) => ({
          label,
          target,
          value: { column, type: read, format: oneOrMore(formats) },
        })),
      },
    }
  }
  const isNumber = type === 'money' || type === 'number' || type === 'integer'
  if (!isNumber || !facts.number?.isAmbiguous) return {}
  const example = facts.texts.find(text => /[.,]\d{3}/.test(text)) ?? ''
  const mark = example.includes(',') ? ',' : '.'
  const thousands: FieldSpec = {
    column,
    type: type === 'integer' ? 'number' : type,
    thousands: mark,
    decimal: mark === ',' ? '.' : ',',
  }
  const decimals: FieldSpec = { column, type: type === 'integer' ? 'number' : type, decimal: mark }
  const options = [
    { label: 'Thousands', target, value: thousands },
    { label: 'Decimals', target, value: decimals },
  ]
  return {
    question: {
      text: `"${example}" could be thousands or a fraction`,
      options: mark === ',' ? options : options.reverse(),
    },
  }
}
