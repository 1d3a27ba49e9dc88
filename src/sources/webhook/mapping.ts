/**
 * The webhook mapping: a list of declarative rules, as JSON, that say which events a delivery stands for. Unknown JSON
 * comes in, a checked `WebhookMapping` or faults go out. It holds data only: no code, no regular expressions.
 *
 * A rule applies when its `when` holds; every rule that applies makes its events, so one delivery can update a person
 * and record their order. With `each`, a rule makes one event per element of a list.
 *
 * In an event template every value is a constant, a nested object or list of values, or an expression:
 *
 *     { "path": "$.customer.email" }                            the value found there
 *     { "collect": "$.lines", "item": { … } }                   a list: one value per element (`@`), or an object with `key`
 *     { "firstOf": [ …, … ] }                                   the first of these that has a value
 *     { "difference": [ a, b, … ] }                             a − b − …, exact in decimals
 *     { "constant": … }                                         as it stands, where it would read as an expression
 *
 * each with optional `when`, `as` (conversions, in order) and `default`. Null, "" and [] count as no value, and what
 * has no value is left out.
 */
import { z } from 'zod'
import { eventTypes } from '../../spec/event.ts'
import { namespaceName } from '../../spec/identifier.ts'
import { isJsonObject, type Json } from '../../spec/json.ts'
import { type MinorUnitTable, minorUnitTables } from './currency.ts'
import { mappingDepthMax, nameCharactersMax, rulesMax, ruleValuesMax } from './limits.ts'
import { hasWildcard, parsePath, unsafeNames } from './path.ts'

export type Scalar = string | number | boolean | null

export type Condition =
  | { path: string; equals: Scalar | { path: string }; ignoreCase?: boolean }
  | { path: string; in: Scalar[]; ignoreCase?: boolean }
  | { path: string; startsWith: string; ignoreCase?: boolean }
  | { path: string; greaterThan: number }
  | { path: string; exists: boolean }
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }

export const simpleConversions = [
  'string',
  'number',
  'boolean',
  'time',
  'epoch',
  'trim',
  'lowerCase',
  'upperCase',
  'first',
  'last',
  'sum',
  'count',
] as const

/**
 * `time`: ISO-8601 or RFC 2822 text → ISO-8601 UTC · `epoch`: seconds or milliseconds since 1970 → the same ·
 * `minorUnits`: 1999 with currency "usd" → 19.99 · `lookup`: a value by its name, `otherwise` for unknown ones (without
 * `otherwise` they stay as they are) · `first last join sum count`: of a list.
 */
export type Conversion =
  | (typeof simpleConversions)[number]
  | { join: string }
  | { minorUnits: Template; table?: MinorUnitTable }
  | { lookup: Record<string, Scalar>; otherwise?: Scalar }

interface ExpressionOptions {
  when?: Condition
  as?: Conversion | Conversion[]
  default?: Json
}
export type PathExpression = { path: string } & ExpressionOptions
export type CollectExpression = {
  collect: string
  where?: Condition
  key?: string
  item?: Template
} & ExpressionOptions
export type FirstOfExpression = { firstOf: Template[] } & ExpressionOptions
export type DifferenceExpression = { difference: Template[] } & ExpressionOptions
export type ConstantExpression = { constant: Json; when?: Condition }
export type Expression =
  | PathExpression
  | CollectExpression
  | FirstOfExpression
  | DifferenceExpression
  | ConstantExpression
export type Template = Scalar | Expression | Template[] | { [name: string]: Template }

const pathSchema = (wildcards: 'with wildcards' | 'without wildcards') =>
  z.string().superRefine((text, context) => {
    const parsed = parsePath(text)
    if (!parsed.ok) return context.addIssue({ code: 'custom', message: `The path ${parsed.fault}.` })
    if (wildcards === 'without wildcards' && hasWildcard(parsed.path)) {
      context.addIssue({ code: 'custom', message: '[*] may stand only in "each" and "collect".' })
    }
  })

const valuePath = pathSchema('without wildcards')
const listPath = pathSchema('with wildcards')
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

const nameSchema = z
  .string()
  .min(1)
  .max(nameCharactersMax)
  .refine(name => !unsafeNames.has(name), 'This name is reserved.')

const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.strictObject({
      path: valuePath,
      equals: z.union([scalar, z.strictObject({ path: valuePath })]),
      ignoreCase: z.boolean().optional(),
    }),
    z.strictObject({ path: valuePath, in: z.array(scalar), ignoreCase: z.boolean().optional() }),
    z.strictObject({ path: valuePath, startsWith: z.string(), ignoreCase: z.boolean().optional() }),
    z.strictObject({ path: valuePath, greaterThan: z.number() }),
    z.strictObject({ path: valuePath, exists: z.boolean() }),
    z.strictObject({ all: z.array(conditionSchema).min(1) }),
    z.strictObject({ any: z.array(conditionSchema).min(1) }),
    z.strictObject({ not: conditionSchema }),
  ]),
)

const conversionSchema: z.ZodType<Conversion> = z.lazy(() =>
  z.union([
    z.enum(simpleConversions),
    z.strictObject({ join: z.string() }),
    z.strictObject({ minorUnits: templateSchema, table: z.enum(minorUnitTables).optional() }),
    z.strictObject({ lookup: z.record(z.string(), scalar), otherwise: scalar.optional() }),
  ]),
)

const jsonSchema: z.ZodType<Json> = z.json() as z.ZodType<Json>
const expressionOptions = {
  when: conditionSchema.optional(),
  as: z.union([conversionSchema, z.array(conversionSchema)]).optional(),
  default: jsonSchema.optional(),
}

const expressionSchema: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ path: valuePath, ...expressionOptions }),
    z.strictObject({
      collect: listPath,
      where: conditionSchema.optional(),
      key: valuePath.optional(),
      item: templateSchema.optional(),
      ...expressionOptions,
    }),
    z.strictObject({ firstOf: z.array(templateSchema).min(1), ...expressionOptions }),
    z.strictObject({ difference: z.array(templateSchema).min(2), ...expressionOptions }),
    z.strictObject({ constant: jsonSchema, when: conditionSchema.optional() }),
  ]),
)

const templateObjectSchema: z.ZodType<{ [name: string]: Template }> = z.lazy(() => z.record(nameSchema, templateSchema))

/** Whether an object of a template is an expression and not an object of values. */
export function isExpression(value: object): value is Expression {
  const holds = (key: string): unknown =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  return (
    typeof holds('path') === 'string' ||
    typeof holds('collect') === 'string' ||
    Array.isArray(holds('firstOf')) ||
    Array.isArray(holds('difference')) ||
    Object.hasOwn(value, 'constant')
  )
}

const templateSchema: z.ZodType<Template> = z.lazy(() =>
  z.union([
    scalar,
    z.array(templateSchema),
    expressionSchema,
    templateObjectSchema.refine(value => !isExpression(value), {
      message: 'This is not a whole expression.',
      abort: true,
    }),
  ]),
)

const eventTemplateSchema = z.strictObject({
  type: z.enum(eventTypes),
  event: templateSchema.optional(),
  name: templateSchema.optional(),
  category: templateSchema.optional(),
  userId: templateSchema.optional(),
  anonymousId: templateSchema.optional(),
  groupId: templateSchema.optional(),
  previousId: templateSchema.optional(),
  /** What makes this event the same event when it is delivered again; a list is taken together. Without it: `deliveryId`. */
  messageId: templateSchema.optional(),
  /** Without it: when the delivery was received. ISO-8601, or `as: "epoch"`. */
  timestamp: templateSchema.optional(),
  /** Further identifiers by namespace; they become `context.externalIds`. */
  externalIds: z.record(namespaceName, templateSchema).optional(),
  traits: templateObjectSchema.optional(),
  properties: templateObjectSchema.optional(),
  context: templateObjectSchema.optional(),
})
export type EventTemplate = z.infer<typeof eventTemplateSchema>

const ruleSchema = z.strictObject({
  /** Names the rule in rejects and in every messageId: renaming it makes retried deliveries look new. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'A rule name has lower-case letters, digits and hyphens.'),
  when: conditionSchema.optional(),
  each: listPath.optional(),
  /** `none`: the event may belong to nobody. Otherwise one without any identifier is rejected. */
  identity: z.enum(['required', 'none']).optional(),
  event: eventTemplateSchema,
})
export type WebhookRule = z.infer<typeof ruleSchema>

const mappingObjectSchema = z.strictObject({
  /** The vendor's id of the delivery or event: the same in every retry. Without it: the body's hash. */
  deliveryId: templateSchema.optional(),
  rules: z.array(ruleSchema).min(1).max(rulesMax).superRefine(checkRules),
})

/** Depth is bounded first: the schemas recurse, and JSON from outside may be nested without end. */
export const webhookMappingSchema = z.preprocess((input, context) => {
  if (!isDeeperThan(input, mappingDepthMax)) return input
  context.addIssue({ code: 'custom', message: `The mapping is nested deeper than ${mappingDepthMax} levels.` })
  return z.NEVER
}, mappingObjectSchema)
export type WebhookMapping = z.infer<typeof mappingObjectSchema>

function checkRules(rules: WebhookRule[], context: z.RefinementCtx): void {
  const names = new Set<string>()
  for (const [index, rule] of rules.entries()) {
    if (names.has(rule.name)) {
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'Another rule has this name.' })
    }
    names.add(rule.name)
    if (countValues(rule) > ruleValuesMax) {
      context.addIssue({ code: 'custom', path: [index], message: `The rule holds more than ${ruleValuesMax} values.` })
    }
    if (rule.event.type === 'track' && rule.event.event === undefined) {
      context.addIssue({ code: 'custom', path: [index, 'event', 'event'], message: 'A track event needs a name.' })
    }
  }
}

/** Whether JSON is nested deeper than `levels`; walks level by level, so depth cannot exhaust the stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  let layer: unknown[] = [value]
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > levels) return true
    layer = layer.flatMap(childrenOf)
  }
  return false
}

function countValues(value: unknown): number {
  let count = 0
  for (let layer: unknown[] = [value]; layer.length > 0; layer = layer.flatMap(childrenOf)) count += layer.length
  return count
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isJsonObject(value) ? Object.values(value) : []
}
