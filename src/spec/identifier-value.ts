/**
 * One value of one namespace: in, what a client wrote; out, its normal form, or the rule that keeps it from being an
 * identifier.
 */
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min'
import type { IdentityRules, NamespaceRule, Normaliser } from './identity-rules.ts'

/** Beyond this a value is a payload, not an identifier (Adobe allows 1,024, Segment cuts at 500). */
export const identifierLengthMax = 512
const emailLengthMax = 254
const emailLocalLengthMax = 64

/** Why a value is not an identifier. */
const blockRules = ['value', 'pattern', 'invalid', 'too_long', 'second_login', 'too_many'] as const
export type BlockRule = (typeof blockRules)[number]

export type Admission = { value: string } | { blocked: BlockRule }

/** Decides about values of one namespace. `keys` are the traits and properties that carry it, in every spelling. `country` (ISO, two letters) is where a phone number was written. */
export interface Gate {
  rule: NamespaceRule
  keys: string[]
  admit(raw: string, country?: string): Admission
}

/** Values come again and again and a phone number costs some 10 µs, so each gate remembers its last answers. */
const rememberedMax = 20_000

const gatesOfRules = new WeakMap<IdentityRules, Map<string, Gate>>()

/** The gates of every namespace in these rules, made once per rules object. */
export function gatesOf(rules: IdentityRules): Map<string, Gate> {
  let gates = gatesOfRules.get(rules)
  if (!gates) {
    gates = new Map(
      Object.entries(rules.namespaces).map(([namespace, rule]) => [namespace, makeGate(rule, rules.phoneCountry)]),
    )
    gatesOfRules.set(rules, gates)
  }
  return gates
}

function makeGate(rule: NamespaceRule, defaultCountry: string | undefined): Gate {
  const values = new Set(['', ...rule.blockedValues.map(value => value.trim().toLowerCase())])
  const patterns = rule.blockedPatterns.map(source => new RegExp(source, 'i'))
  const remembered = new Map<string, Admission>()

  const blockedBy = (value: string): BlockRule | undefined => {
    if (value.length > identifierLengthMax) return 'too_long'
    if (values.has(value.toLowerCase())) return 'value'
    return patterns.some(pattern => pattern.test(value)) ? 'pattern' : undefined
  }
  const decide = (raw: string, country: string | undefined): Admission => {
    const blockedAsWritten = blockedBy(raw.trim())
    if (blockedAsWritten) return { blocked: blockedAsWritten }
    const value = normalise(raw, rule.normaliser, country)
    if (value === undefined) return { blocked: 'invalid' }
    const blocked = blockedBy(value)
    return blocked ? { blocked } : { value }
  }

  return {
    rule,
    keys: [...new Set(rule.keys.flatMap(key => [key, camelCase(key)]))],
    admit(raw, country = defaultCountry) {
      const asked = rule.normaliser === 'phone' ? `${country} ${raw}` : raw
      const known = remembered.get(asked)
      if (known) return known
      const admission = decide(raw, country)
      if (remembered.size >= rememberedMax) remembered.clear()
      if (raw.length <= identifierLengthMax) remembered.set(asked, admission)
      return admission
    },
  }
}

const camelCase = (key: string) => key.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The normal form of a value; undefined when it has none. */
function normalise(raw: string, normaliser: Normaliser, country?: string): string | undefined {
  // Half of a surrogate pair and the zero character cannot be stored as text (PostgreSQL refuses them).
  if (!raw.isWellFormed() || raw.includes('\u0000')) return undefined
  if (normaliser === 'none') return raw
  const trimmed = raw.trim().normalize('NFC')
  if (normaliser === 'lower') return trimmed.toLowerCase()
  if (normaliser === 'email') return normaliseEmail(trimmed)
  if (normaliser === 'phone') return normalisePhone(trimmed, country)
  return trimmed
}

/** Lower case throughout: no mailbox that matters tells Ada@ from ada@. Checked for shape, not for existence. */
function normaliseEmail(trimmed: string): string | undefined {
  if (trimmed.length > emailLengthMax || /[\s<>(),:;"\\[\]]/.test(trimmed)) return undefined
  const [local, domain, ...more] = trimmed.toLowerCase().split('@')
  if (!local || !domain || more.length > 0 || local.length > emailLocalLengthMax) return undefined
  const labels = domain.split('.')
  const isDomain =
    labels.length > 1 && labels.every(label => /^[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?$/u.test(label))
  return isDomain ? `${local}@${domain}` : undefined
}

/** E.164. Without a country only numbers that begin with + can be told. */
function normalisePhone(trimmed: string, country: string | undefined): string | undefined {
  const known = country !== undefined && isSupportedCountry(country) ? (country as CountryCode) : undefined
  const number = parsePhoneNumberFromString(trimmed, known)
  return number?.isValid() ? number.number : undefined
}
