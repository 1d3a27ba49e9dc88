/** One column of a sample in; what it seems to be out: its role, how sure that is and why, and the type of its values. */
import { type DateGuess, guessDates } from './guess-dates.ts'
import { namesCode, namesQuestion, namesTime, type Role, roleOfName } from './guess-names.ts'
import { describeValues, type ValueFacts } from './guess-values.ts'
import type { ValueType } from './mapping.ts'
import type { Row } from './row.ts'
import { compileCell, textOf } from './source-row.ts'

/** Rows below which a column that is always the same says nothing about the file. */
const CONSTANT_ROWS_MIN = 20
/** Of each cell: what kind of value it is shows early. */
const LOOKED_AT_CHARS_MAX = 300
/** A full list of people has more different names than this share of its rows. */
const NAMES_DISTINCT_SHARE_MIN = 0.01

/** What is known about one column before its place is chosen. */
export interface ColumnView {
  column: string
  facts: ValueFacts
  dates: DateGuess | undefined
  role: Role
  sure: number
  reason: string
}

/** Looks at one column of a sample. */
export function viewColumn(column: string, rows: Row[]): ColumnView {
  const read = compileCell(column, [])
  const cells = rows.flatMap(row =>
    row.reject ? [] : [textOf(read({ values: row.values, joined: [] })).slice(0, LOOKED_AT_CHARS_MAX)],
  )
  const facts = describeValues(cells)
  const dates = guessDates(facts.texts, namesTime(column))
  return { column, facts, dates, ...chooseRole(column, facts, dates) }
}

type Choice = { role: Role; sure: number; reason: string }

function chooseRole(column: string, facts: ValueFacts, dates: DateGuess | undefined): Choice {
  if (facts.filled === 0) return { role: 'omit', sure: 0.9, reason: 'always empty in the sample' }
  if (/^throughline_/.test(column)) return { role: 'omit', sure: 1, reason: 'written by an earlier import' }
  const named = roleOfName(column)
  const misfit = named && misfitOf(named.role, facts, dates)
  if (named && misfit === undefined) return { ...named, reason: 'named so' }
  if (facts.emails > 0.8) return { role: 'email', sure: 0.8, reason: 'most values are e-mail addresses' }
  const isPhones = facts.phones > 0.9 && facts.texts.some(text => text.startsWith('+'))
  if (isPhones) return { role: 'phone', sure: 0.6, reason: 'the values look like phone numbers' }
  if (facts.constant !== undefined && facts.filled >= CONSTANT_ROWS_MIN) {
    return { role: 'omit', sure: 0.6, reason: `always "${facts.constant.slice(0, 40)}" in the sample` }
  }
  return { role: 'property', sure: 0.5, reason: misfit ?? 'kept under its own name' }
}

/** Why values contradict what their column's name promises, or nothing. */
function misfitOf(role: Role, facts: ValueFacts, dates: DateGuess | undefined): string | undefined {
  if (role === 'email') return facts.emails > 0.5 ? undefined : 'named like e-mail, but few values are addresses'
  if (role === 'phone') return facts.phones > 0.3 ? undefined : 'named like a phone number, but few values are numbers'
  if (role === 'birthday' || role === 'timestamp' || role === 'created_at') {
    return dates ? undefined : 'named like a date, but its values are none'
  }
  if (numericRoles.has(role)) return facts.number ? undefined : 'named like a number, but its values are none'
  if (role === 'name' || role === 'first_name' || role === 'last_name') {
    if (facts.number) return 'named like a name, but its values are numbers'
    const isOfFew = facts.filled >= CONSTANT_ROWS_MIN && facts.distinct < facts.filled * NAMES_DISTINCT_SHARE_MIN
    return isOfFew ? 'named like a name, but has few different values' : undefined
  }
  return undefined
}

const numericRoles = new Set<Role>(['quantity', 'price', 'cost', 'total', 'tax', 'profit', 'age', 'employees', 'line'])

/** A role that a second column claims as well goes to the surer one; the other keeps its own name. */
export function dropRepeats(views: ColumnView[]): ColumnView[] {
  const best = new Map<Role, ColumnView>()
  for (const view of views) {
    const before = best.get(view.role)
    if (!before || rank(view) > rank(before)) best.set(view.role, view)
  }
  return views.map(view => {
    if (view.role === 'omit' || view.role === 'property' || best.get(view.role) === view) return view
    const reason = `kept under its own name: "${best.get(view.role)?.column}" is taken for the ${view.role.replaceAll('_', ' ')}`
    return { ...view, role: 'property', sure: 0.5, reason }
  })
}

const rank = (view: ColumnView) => view.sure + view.facts.filled / (1 + view.facts.filled + view.facts.empty) / 10

/** The type of a column's values, from what they look like and what the name says of them. */
export function typeOf({ column, facts, dates, role }: ColumnView): ValueType {
  if (role === 'email') return facts.emails === 1 ? 'email' : 'string'
  if (dates && !textRoles.has(role)) return dates.hasTime ? 'datetime' : 'date'
  if (textRoles.has(role)) return 'string'
  if (facts.isJson) return 'json'
  if (facts.isYesNo && facts.distinct > 1) return 'boolean'
  if (facts.isZeroOne && namesQuestion(column)) return 'boolean'
  const isCounted = numericRoles.has(role) || role === 'discount'
  if (!facts.number || (!isCounted && (facts.isCode || namesCode(column)))) return 'string'
  if (moneyRoles.has(role) || facts.number.hasSign) return 'money'
  return facts.number.isInteger ? 'integer' : 'number'
}

/** Names of things: text, also where they happen to be digits in this file. */
const textRoles = new Set<Role>([
  'user_id',
  'anonymous_id',
  'group_id',
  'phone',
  'loyalty_id',
  'name',
  'first_name',
  'last_name',
  'salutation',
  'gender',
  'job_title',
  'company',
  'website',
  'industry',
  'street',
  'city',
  'state',
  'postal_code',
  'country',
  'event',
  'order_id',
  'product_id',
  'sku',
  'product_name',
  'category',
  'subcategory',
  'brand',
  'description',
  'currency',
  'coupon',
  'channel',
  'campaign',
  'url',
  'message_id',
])
const moneyRoles = new Set<Role>(['price', 'cost', 'total', 'tax', 'profit'])
