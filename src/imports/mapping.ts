/**
 * The mapping document: what the columns of a file mean. JSON in, a checked mapping out, or every fault at once. It is
 * declarative on purpose: it can be shown as a form, guessed, compared and kept beside the data, and it cannot run away.
 */
import * as z from 'zod'
import { namespaceName } from '../spec/identifier.ts'
import type { Json } from '../spec/json.ts'
import { faultOfDateFormat, isZone, namedDateFormats } from './dates.ts'
import { formatSchema } from './layout.ts'
import { columnsOf, faultOfTemplate, parseTemplate } from './template.ts'

const FIELDS_MAX = 10_000
const OUTPUTS_MAX = 10
const CASES_MAX = 50
const LOOKUPS_MAX = 20
/** Of a column's name, a template, a file's name. */
export const TEXT_CHARS_MAX = 1_000
/** Levels of JSON: conditions within conditions, mostly. */
const DOCUMENT_DEPTH_MAX = 24
const LIST_MAX = 1_000

export const kinds = ['people', 'companies', 'products', 'events'] as const
export type Kind = (typeof kinds)[number]

const column = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .describe('a column of the file, a path into nested JSON (a.b), or lookup.column')
const template = z
  .string()
  .max(TEXT_CHARS_MAX)
  .superRefine((text, context) => {
    const fault = faultOfTemplate(text)
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })
  .describe('text with columns in braces: "{FirstName} {LastName}"')
const zone = z.string().refine(isZone, 'not a time zone, such as Europe/Stockholm').describe('IANA name; default UTC')
const oneDateFormat = z
  .string()
  .max(60)
  .superRefine((text, context) => {
    const fault = faultOfDateFormat(text)
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })
const dateFormat = z
  .union([oneDateFormat, z.array(oneDateFormat).min(1).max(10)])
  .describe(
    `${namedDateFormats.join(', ')}, or a pattern such as d-MMM-yyyy or dd/MM/yyyy HH:mm. Of several, a text that two read as different days is rejected. Default: iso`,
  )
const decimalMark = z.enum(['.', ',']).describe('what stands before the fraction; default .')
const thousandsMark = z.enum(['', ',', '.', ' ', "'"]).describe('what stands between thousands; default: nothing may')
const jsonValue = z.json() as z.ZodType<Json>

const source = {
  column: column.optional(),
  text: template.optional().describe('instead of column: several columns put together'),
  default: jsonValue.optional().describe('taken where the cell is empty'),
  empty: z.array(z.string()).max(LIST_MAX).optional().describe('texts that mean nothing, such as NA'),
  invalid: z
    .enum(['reject', 'omit'])
    .optional()
    .describe('a value that cannot be read rejects the row (default) or is left out'),
}
const numberStyle = { decimal: decimalMark.optional(), thousands: thousandsMark.optional() }
const typed = [
  z.strictObject({
    type: z.literal('string'),
    ...source,
    trim: z.boolean().optional().describe('default true'),
    values: z.record(z.string(), jsonValue).optional().describe('what each text stands for; others stay'),
  }),
  z.strictObject({
    type: z.literal('number'),
    ...source,
    ...numberStyle,
    times: column.optional().describe('multiplied, exactly, by this column'),
  }),
  z.strictObject({ type: z.literal('integer'), ...source, ...numberStyle }),
  z.strictObject({
    type: z.literal('boolean'),
    ...source,
    true: z.array(z.string()).optional().describe('default: yes y true t 1 on x'),
    false: z.array(z.string()).optional().describe('default: no n false f 0 off'),
  }),
  z.strictObject({ type: z.literal('date'), ...source, format: dateFormat.optional() }),
  z.strictObject({ type: z.literal('datetime'), ...source, format: dateFormat.optional(), zone: zone.optional() }),
  z.strictObject({
    type: z.literal('money'),
    ...source,
    ...numberStyle,
    times: column.optional().describe('multiplied, exactly, by this column: price times quantity'),
    currency: template.optional().describe('ISO 4217; written beside the amount as `currency`'),
  }),
  z.strictObject({ type: z.literal('email'), ...source }),
  z.strictObject({
    type: z.literal('phone'),
    ...source,
    country: z.string().length(2).optional().describe('ISO 3166 country of numbers without +'),
  }),
  z.strictObject({ type: z.literal('json'), ...source }),
  z.strictObject({
    type: z.literal('list'),
    ...source,
    separator: z.string().min(1).max(5).optional().describe('default ,'),
  }),
] as const
const typedSchema = z.discriminatedUnion('type', typed).superRefine((field, context) => {
  if ((field.column === undefined) === (field.text === undefined)) {
    context.addIssue({ code: 'custom', message: 'name either a column or a text' })
  }
})
const constantSchema = z.strictObject({ value: jsonValue.describe('the same for every row') })
const fieldSchema = z.union([template, typedSchema, constantSchema])
export type FieldSpec = z.infer<typeof fieldSchema>
export type TypedField = z.infer<typeof typedSchema>
export type ValueType = TypedField['type']

export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | {
      column: string
      equals?: string
      in?: string[]
      startsWith?: string
      endsWith?: string
      contains?: string
      lessThan?: number
      greaterThan?: number
      empty?: boolean
    }
const testSchema = z
  .strictObject({
    column,
    equals: z.string().optional(),
    in: z.array(z.string()).max(LIST_MAX).optional(),
    startsWith: z.string().optional(),
    endsWith: z.string().optional(),
    contains: z.string().optional(),
    lessThan: z.number().optional(),
    greaterThan: z.number().optional(),
    empty: z.boolean().optional(),
  })
  .refine(test => Object.keys(test).length > 1, 'say what the column is compared with')
const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    testSchema,
    z.strictObject({ all: z.array(conditionSchema).min(1).max(LIST_MAX) }),
    z.strictObject({ any: z.array(conditionSchema).min(1).max(LIST_MAX) }),
    z.strictObject({ not: conditionSchema }),
  ]),
)

const fieldsSchema = z
  .record(z.string().min(1).max(TEXT_CHARS_MAX), fieldSchema)
  .refine(record => Object.keys(record).length <= FIELDS_MAX, `at most ${FIELDS_MAX} fields`)
  .refine(record => !Object.keys(record).some(name => name.split('.').includes('__proto__')), '__proto__ is no field')
  .describe('name of the field (a.b makes an object) → where its value comes from')

const outputFields = {
  type: z.enum(['track', 'page', 'screen', 'alias']).optional().describe('events only; default track'),
  event: template.optional().describe('name of a track; a column may choose it'),
  pageName: template.optional().describe('name of a page or screen'),
  category: template.optional(),
  userId: template.optional(),
  anonymousId: template.optional(),
  groupId: template.optional(),
  previousId: template.optional(),
  externalIds: z
    .record(namespaceName, fieldSchema)
    .optional()
    .describe('further identifiers by namespace (email, phone, card_token …); they become context.externalIds'),
  identity: z
    .enum(['required', 'optional', 'none'])
    .optional()
    .describe('whether a row must say whose it is; optional and none let an event belong to nobody'),
  timestamp: z
    .union([
      template.describe('a fixed instant in ISO form, or a column in ISO form'),
      z.strictObject({
        column: source.column,
        text: source.text,
        format: dateFormat.optional(),
        zone: zone.optional(),
      }),
    ])
    .optional()
    .describe('when it happened; without it, the time of the import'),
  messageId: template
    .optional()
    .describe('what makes a row itself; without it, mapping name, row number and text of the row'),
  traits: fieldsSchema.optional(),
  properties: fieldsSchema.optional(),
  context: fieldsSchema.optional(),
  rest: z
    .enum(['traits', 'properties'])
    .optional()
    .describe('where columns go that the mapping does not name; without it nowhere'),
  require: z.array(column).max(LIST_MAX).optional().describe('columns that must not be empty'),
}
const caseSchema = z.strictObject({ when: conditionSchema, ...outputFields })
export type Case = z.infer<typeof caseSchema>
const outputSchema = z.strictObject({
  kind: z.enum(kinds),
  when: conditionSchema.optional().describe('rows that this is for'),
  ...outputFields,
  cases: z
    .array(caseSchema)
    .max(CASES_MAX)
    .optional()
    .describe('the first whose condition holds changes the fields it names'),
})
export type Output = z.infer<typeof outputSchema>

const lookupSchema = z.strictObject({
  as: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]*$/)
    .describe('its columns are then called as.column'),
  file: z.string().min(1).max(TEXT_CHARS_MAX).describe('a small file, found beside the imported one'),
  key: z.string().min(1).describe('column of that file'),
  column: column.describe('column of this file, or of a lookup before, that holds the key'),
  required: z.boolean().optional().describe('reject rows whose key is not found; default false'),
})
export type Lookup = z.infer<typeof lookupSchema>

const uncheckedMappingSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
    .max(80)
    .describe('stays the same when the mapping changes: message ids are made from it'),
  comment: z.string().max(4_000).optional(),
  format: formatSchema.optional(),
  defaults: z
    .strictObject({
      decimal: decimalMark.optional(),
      thousands: thousandsMark.optional(),
      zone: zone.optional(),
      currency: template.optional(),
      country: z.string().length(2).optional(),
      empty: source.empty,
    })
    .optional()
    .describe('for every field that does not say otherwise'),
  lookups: z.array(lookupSchema).max(LOOKUPS_MAX).optional(),
  ...outputSchema.shape,
  also: z.array(outputSchema).max(OUTPUTS_MAX).optional().describe('further events that each row makes'),
})

const mappingSchema = uncheckedMappingSchema.superRefine((mapping, context) => {
  for (const [index, output] of [mapping, ...(mapping.also ?? [])].entries()) {
    const path = index === 0 ? [] : ['also', index - 1]
    for (const fault of faultsOfOutput(output))
      context.addIssue({ code: 'custom', ...fault, path: [...path, ...fault.path] })
  }
})
export type Mapping = z.infer<typeof mappingSchema>

/** The mapping document as JSON Schema, for editors and the reference. */
export const mappingJsonSchema = () => z.toJSONSchema(uncheckedMappingSchema, { io: 'input', reused: 'ref' })

type OutputFault = { message: string; path: (string | number)[] }

/** What one output needs, over all of its cases. */
function faultsOfOutput(output: Output): OutputFault[] {
  const faults: OutputFault[] = []
  const inEveryCase = (field: 'event' | 'groupId' | 'previousId' | 'userId') =>
    output[field] !== undefined ||
    (output.cases?.length ? output.cases.every(each => each[field] !== undefined) : false)
  const type = output.type ?? 'track'
  if (output.kind === 'events' && type === 'track' && !inEveryCase('event')) {
    faults.push({ message: 'events need a name: set event', path: ['event'] })
  }
  if (output.kind === 'events' && type === 'alias' && !(inEveryCase('previousId') && inEveryCase('userId'))) {
    faults.push({ message: 'an alias needs previousId and userId', path: ['previousId'] })
  }
  if (output.kind === 'companies' && !inEveryCase('groupId')) {
    faults.push({ message: 'companies need groupId', path: ['groupId'] })
  }
  if (output.kind !== 'events' && output.type !== undefined) {
    faults.push({ message: 'type is for events', path: ['type'] })
  }
  const ids = [output, ...(output.cases ?? [])].map(each => each.messageId)
  for (const messageId of ids) {
    if (messageId !== undefined && columnsOf(parseTemplate(messageId)).length === 0) {
      faults.push({ message: 'names no column: all rows would count as one', path: ['messageId'] })
    }
  }
  return faults
}

/** Whether JSON nests deeper than any sensible mapping; a checker that recurses must not meet it. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(child => isDeeper(child, levels - 1))
}

export interface MappingFault {
  /** Place in the document, `traits.birthday.format`. */
  path: string
  message: string
}

/** Checks a mapping document. Every fault names its place and is fit for a user. */
export function parseMapping(document: unknown): { mapping: Mapping } | { faults: MappingFault[] } {
  if (isDeeper(document, DOCUMENT_DEPTH_MAX)) {
    return { faults: [{ path: '', message: `nests deeper than ${DOCUMENT_DEPTH_MAX} levels` }] }
  }
  const parsed = mappingSchema.safeParse(document)
  if (parsed.success) return { mapping: parsed.data }
  return { faults: parsed.error.issues.flatMap(issue => explain(issue, [])) }
}

/** Of a choice of forms, what is wrong with the one that was nearly right. */
function explain(issue: z.core.$ZodIssue, base: PropertyKey[]): MappingFault[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.find(
      issues => !issues.some(each => each.path.length === 0 && each.code === 'invalid_type'),
    )
    if (nearest) return nearest.flatMap(each => explain(each, path))
  }
  if (issue.code === 'invalid_key') return issue.issues.flatMap(each => explain(each, path))
  return [{ path: path.map(String).join('.'), message: issue.message }]
}
