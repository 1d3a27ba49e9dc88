/**
 * What a workspace says about its identifiers: in, what an operator sends; out, rules that the whole system trusts.
 * Namespaces are spelled as Segment's id types.
 */
import { z } from 'zod'
import { faultOfPattern } from './safe-pattern.ts'

/**
 * What a namespace can do for a person:
 * `login` names at most one person and is the only class that owns others · `contact` has one holder for all time ·
 * `device` has an owner per time · `none` is kept on the event and joins nobody.
 */
export const namespaceClasses = ['login', 'contact', 'device', 'none'] as const
export type NamespaceClass = (typeof namespaceClasses)[number]

export const limitWindows = ['ever', 'weekly', 'monthly', 'annually'] as const
export type LimitWindow = (typeof limitWindows)[number]

export const normalisers = ['email', 'phone', 'lower', 'trim', 'none'] as const
export type Normaliser = (typeof normalisers)[number]

export const namespacesMax = 64
export const blockedValuesMax = 1_000
export const blockedPatternsMax = 20
export const extractionKeysMax = 10

const pattern = z.string().superRefine((source, context) => {
  const fault = faultOfPattern(source)
  if (fault) context.addIssue({ code: 'custom', message: `The pattern ${fault}.` })
})

export const namespaceRuleSchema = z.strictObject({
  class: z.enum(namespaceClasses),
  /** 1 comes first. The identifier of the best priority is the one that an event hangs on (its hub). */
  priority: z.int().min(1).max(1_000),
  /** Values per profile; 1 is unique; none is unlimited. Only contacts may have one: a login is always unique. */
  limit: z.int().min(1).max(1_000).optional(),
  /** The limit holds within any span of this length, by the time each value was first seen. */
  window: z.enum(limitWindows).default('ever'),
  /** Contacts: who holds a value that two logins claim, the first to claim it or the last. */
  holder: z.enum(['first', 'last']).default('first'),
  normaliser: z.enum(normalisers).default('trim'),
  /** Never identifiers; compared without regard to case. */
  blockedValues: z.array(z.string().max(512)).max(blockedValuesMax).default([]),
  blockedPatterns: z.array(pattern).max(blockedPatternsMax).default([]),
  /** Traits and properties that carry this identifier; snake case stands for camel case too. */
  keys: z.array(z.string().min(1).max(100)).max(extractionKeysMax).default([]),
})

export const namespaceName = z
  .string()
  .regex(/^[a-z][a-z0-9_.]{0,39}$/, 'A namespace is lower case: letters, digits, _ and ., at most 40.')

export const identityRulesSchema = z
  .strictObject({
    namespaces: z.record(namespaceName, namespaceRuleSchema),
    /** A device linked with more distinct contacts of one namespace than this is a kiosk: those links join nobody. */
    crowd: z.int().min(1).max(100_000).default(50),
    /** Country (ISO 3166, two letters) of phone numbers written without one; none: only +… numbers count. */
    phoneCountry: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
  })
  .superRefine((rules, context) => {
    const entries = Object.entries(rules.namespaces)
    const fault = (message: string) => context.addIssue({ code: 'custom', path: ['namespaces'], message })
    if (entries.length > namespacesMax) fault(`At most ${namespacesMax} namespaces.`)
    const logins = entries.filter(([, rule]) => rule.class === 'login')
    if (logins.length !== 1) fault('Exactly one namespace is the login.')
    if (entries.some(([, rule]) => rule.class !== 'login' && rule.priority <= (logins[0]?.[1].priority ?? 0))) {
      fault('The login has the best priority of all.')
    }
    for (const [namespace, rule] of entries) {
      if (rule.class !== 'contact' && rule.limit !== undefined) fault(`${namespace}: only contacts have a limit.`)
      if (rule.window !== 'ever' && rule.limit === undefined) fault(`${namespace}: a window needs a limit.`)
    }
  })

export type IdentityRules = z.infer<typeof identityRulesSchema>
export type NamespaceRule = IdentityRules['namespaces'][string]

/** What programs write where they know nobody: each would join all strangers into one. */
const blockedEverywhere = {
  blockedValues: [
    ...['-1', 'null', 'undefined', 'nil', 'nan', 'none', '(none)', 'n/a', 'unknown', 'anonymous', 'guest'],
    ...['not set', '(not set)', 'invalid', '[object object]'],
  ],
  /** Nothing but zeros and dashes: the blank UUID and switched-off advertising ids. */
  blockedPatterns: ['^[0-]*$'],
}

const contact = { ...blockedEverywhere, class: 'contact', limit: 5 } as const
const device = { ...blockedEverywhere, class: 'device', normaliser: 'trim' } as const

/** The rules of a new workspace: Segment's id types, three of our own, and those of the webhook presets. */
export const defaultIdentityRules: IdentityRules = identityRulesSchema.parse({
  namespaces: {
    user_id: { ...blockedEverywhere, class: 'login', priority: 1, normaliser: 'trim' },
    email: { ...contact, priority: 2, normaliser: 'email', keys: ['email'] },
    phone: { ...contact, priority: 3, normaliser: 'phone', keys: ['phone'] },
    crm_contact: { ...contact, priority: 4 },
    loyalty_id: { ...contact, priority: 5, normaliser: 'lower', keys: ['loyalty_id'] },
    card_token: { ...contact, priority: 6, keys: ['card_token'] },
    // Whom the webhook presets speak of (src/sources/webhook/presets); among equals the name decides.
    facebook_psid: { ...contact, priority: 6 },
    instagram_scoped_id: { ...contact, priority: 6 },
    // One per form filled in, so no limit can tell a person from a crowd.
    meta_lead_id: { ...contact, priority: 6, limit: undefined },
    shopify_customer_id: { ...contact, priority: 6 },
    stripe_customer_id: { ...contact, priority: 6, limit: 50 },
    anonymous_id: { ...device, priority: 7 },
    'android.id': { ...device, priority: 8 },
    'android.idfa': { ...device, priority: 9 },
    'android.push_token': { ...device, priority: 10 },
    'ios.id': { ...device, priority: 11 },
    'ios.idfa': { ...device, priority: 12 },
    'ios.push_token': { ...device, priority: 13 },
    ga_client_id: { ...device, priority: 14 },
    group_id: { ...blockedEverywhere, class: 'none', priority: 100 },
  },
})
