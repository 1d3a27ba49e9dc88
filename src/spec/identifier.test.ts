import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from './event.ts'
import {
  defaultIdentityRules,
  extractIdentifiers,
  type IdentityRules,
  identifierKey,
  identifierLengthMax,
  identifiersPerEventMax,
  identityRulesSchema,
  normaliseIdentifier,
  parseIdentifierKey,
} from './identifier.ts'
import type { JsonObject } from './json.ts'

const rules = defaultIdentityRules

function event(fields: Partial<Event>): Event {
  const at = '2025-01-01T00:00:00.000Z'
  return { messageId: 'm1', type: 'track', source: 'web', timestamp: at, receivedAt: at, ...fields }
}

const keysOf = (fields: Partial<Event>, under = rules) =>
  extractIdentifiers(event(fields), under).identifiers.map(identifierKey)
const blockedOf = (fields: Partial<Event>, under = rules) =>
  extractIdentifiers(event(fields), under).blocked.map(one => `${identifierKey(one)} ${one.rule}`)

function rulesWith(namespace: string, change: Partial<IdentityRules['namespaces'][string]>): IdentityRules {
  const rule = rules.namespaces[namespace]
  if (!rule) throw new Error(`no ${namespace}`)
  return { ...rules, namespaces: { ...rules.namespaces, [namespace]: { ...rule, ...change } } }
}

describe('the identifiers of an event', () => {
  it('are its ids, and the e-mail address and phone number of its traits and properties', () => {
    const fields = {
      userId: 'u1',
      anonymousId: 'a1',
      groupId: 'acme',
      traits: { email: 'ada@example.com' },
      context: { traits: { phone: '+1 415 555 2671' } },
      properties: { email: 'second@example.com' },
    }
    expect(keysOf(fields)).toEqual([
      'user_id:u1',
      'anonymous_id:a1',
      'group_id:acme',
      'email:ada@example.com',
      'phone:+14155552671',
      'email:second@example.com',
    ])
  })

  it('are the ids of a phone or tablet; an Android advertising id only where its owner allows it', () => {
    const device = { type: 'android', id: 'd1', advertisingId: 'ad1', token: 't1' }
    expect(keysOf({ context: { device } })).toEqual(['android.id:d1', 'android.push_token:t1'])
    expect(keysOf({ context: { device: { ...device, adTrackingEnabled: true } } })).toContain('android.idfa:ad1')
    expect(keysOf({ context: { device: { ...device, type: 'ios' } } })).toContain('ios.idfa:ad1')
    expect(keysOf({ context: { device: { ...device, type: 'desktop' } } })).toEqual([])
  })

  it('are external ids of people in namespaces that the rules know', () => {
    const external = (more: JsonObject) => ({
      type: 'loyalty_id',
      id: 'L1',
      collection: 'users',
      encoding: 'none',
      ...more,
    })
    const externalIds = [
      external({}),
      external({ id: 'L2', collection: 'accounts' }),
      external({ id: 'L3', encoding: 'sha256' }),
      external({ type: 'shoe_size' }),
      'nonsense',
    ]
    expect(keysOf({ context: { externalIds } })).toEqual(['loyalty_id:l1'])
  })

  it('are what Google Analytics and keys of our own carry, in snake or camel case', () => {
    const integrations = { 'Google Analytics': { clientId: '12.34' } }
    expect(keysOf({ integrations })).toEqual(['ga_client_id:12.34'])
    expect(keysOf({ properties: { cardToken: 'c1' }, traits: { loyalty_id: 'l1' } })).toEqual([
      'loyalty_id:l1',
      'card_token:c1',
    ])
  })

  it('of a group call are not those of the company', () => {
    const traits = { email: 'info@acme.example.com' }
    expect(keysOf({ type: 'group', userId: 'u1', groupId: 'acme', traits })).toEqual(['user_id:u1', 'group_id:acme'])
    expect(keysOf({ type: 'identify', userId: 'u1', traits })).toContain('email:info@acme.example.com')
  })

  it('of an alias name what was before as a login and as a browser', () => {
    const { identifiers, previous } = extractIdentifiers(event({ type: 'alias', userId: 'u1', previousId: 'x' }), rules)
    expect(identifiers.map(identifierKey)).toEqual(['user_id:u1'])
    expect(previous.map(identifierKey)).toEqual(['user_id:x', 'anonymous_id:x'])
    expect(extractIdentifiers(event({ type: 'track', userId: 'u1', previousId: 'x' }), rules).previous).toEqual([])
  })

  it('hold one login at most, and no more than there is room for', () => {
    const externalIds = [{ type: 'user_id', id: 'u2' }]
    expect(keysOf({ userId: 'u1', context: { externalIds } })).toEqual(['user_id:u1'])
    expect(blockedOf({ userId: 'u1', context: { externalIds } })).toEqual(['user_id:u2 second_login'])
    const many = Array.from({ length: 30 }, (_, index) => ({ type: 'card_token', id: `c${index}` }))
    expect(keysOf({ context: { externalIds: many } }).length).toBe(identifiersPerEventMax)
    expect(blockedOf({ context: { externalIds: many } }).length).toBe(30 - identifiersPerEventMax)
  })

  it('are never anything but text or a number', () => {
    const wrong = [true, null, {}, ['u1'], { toString: 'u1' }] as unknown as string[]
    for (const userId of wrong) expect(keysOf({ userId })).toEqual([])
    expect(keysOf({ traits: { loyaltyId: 4711 } })).toEqual(['loyalty_id:4711'])
  })

  it('are found in anything that JSON can carry, without an exception', () => {
    const anything = fc.jsonValue() as fc.Arbitrary<never>
    const fields = fc.record(
      {
        userId: anything,
        traits: anything,
        context: anything,
        properties: anything,
        integrations: anything,
        previousId: anything,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fields, fields => {
        const { identifiers, blocked } = extractIdentifiers(event({ ...fields, type: 'alias' }), rules)
        expect(identifiers.length).toBeLessThanOrEqual(identifiersPerEventMax)
        for (const { rule } of blocked) expect(rule).toBeTypeOf('string')
      }),
    )
  })
})

describe('a value that is no identifier', () => {
  it.each([
    '',
    '  ',
    '0',
    '000-000',
    '00000000-0000-0000-0000-000000000000',
    'NULL',
    'undefined',
    '-1',
    'Anonymous',
    'n/a',
    ' guest ',
  ])('is what programs write where they know nobody: %j', userId => {
    expect(keysOf({ userId })).toEqual([])
    expect(blockedOf({ userId })).toHaveLength(1)
  })

  it.each([
    ['user_id', 'x'.repeat(identifierLengthMax + 1), 'too_long'],
    ['user_id', 'unknown', 'value'],
    ['user_id', '0000', 'pattern'],
    ['user_id', 'a\u0000b', 'invalid'],
    ['user_id', '\ud800', 'invalid'],
    ['email', 'ada', 'invalid'],
    ['email', 'ada@', 'invalid'],
    ['email', 'ada@example', 'invalid'],
    ['email', 'a da@example.com', 'invalid'],
    ['email', 'ada@exa@mple.com', 'invalid'],
    ['email', `${'x'.repeat(65)}@example.com`, 'invalid'],
    ['phone', '555', 'invalid'],
    ['phone', '0171 2345678', 'invalid'],
  ])('is told with its rule: %s %j %s', (namespace, id, rule) => {
    const { blocked } = extractIdentifiers(event({ context: { externalIds: [{ type: namespace, id }] } }), rules)
    expect(blocked).toEqual([{ namespace, value: id, rule }])
  })

  it('may be named by an operator, by value or by pattern', () => {
    const own = rulesWith('email', { blockedValues: ['Shop@example.com'], blockedPatterns: ['@test\\.example\\.com$'] })
    expect(keysOf({ traits: { email: 'shop@EXAMPLE.com' } }, own)).toEqual([])
    expect(blockedOf({ traits: { email: 'ada@test.example.com' } }, own)).toEqual([
      'email:ada@test.example.com pattern',
    ])
    expect(keysOf({ traits: { email: 'ada@example.com' } }, own)).toEqual(['email:ada@example.com'])
  })
})

describe('a normal form', () => {
  it.each([
    ['email', '  Ada.Lovelace@Example.COM ', 'ada.lovelace@example.com'],
    ['email', 'ada+news@müller.example', 'ada+news@müller.example'],
    ['phone', '+49 (171) 234-5678', '+491712345678'],
    ['loyalty_id', ' L-77 ', 'l-77'],
    ['user_id', ' Ada ', 'Ada'],
    ['user_id', 'e\u0301', 'é'],
  ])('of %s %j is %j', (namespace, raw, value) => {
    expect(normaliseIdentifier({ namespace, value: raw }, rules)).toEqual({ namespace, value })
  })

  it('of a phone number without + follows the country of the event, else of the workspace', () => {
    const german = { ...rules, phoneCountry: 'DE' }
    const traits = { phone: '0171 2345678' }
    expect(keysOf({ traits }, german)).toEqual(['phone:+491712345678'])
    expect(keysOf({ traits: { phone: '(415) 555-2671' }, context: { location: { country: 'US' } } }, german)).toEqual([
      'phone:+14155552671',
    ])
    expect(keysOf({ traits, context: { location: { country: 'US' } } }, german)).toEqual([])
    expect(keysOf({ traits, context: { location: { country: 'XX' } } }, german)).toEqual([])
  })

  it('is its own normal form', () => {
    const raw = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.emailAddress(),
      fc.stringMatching(/^ *[A-Za-z0-9@+. -]{1,20} *$/),
    )
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(rules.namespaces)), raw, (namespace, value) => {
        const once = normaliseIdentifier({ namespace, value }, rules)
        if (once) expect(normaliseIdentifier(once, rules)).toEqual(once)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is known by its key', () => {
    const identifier = { namespace: 'user_id', value: 'a:b' }
    expect(parseIdentifierKey(identifierKey(identifier))).toEqual(identifier)
    for (const text of ['ada', ':ada', 'user_id:', '']) expect(parseIdentifierKey(text)).toBeUndefined()
  })
})

describe('the rules of a workspace', () => {
  const faultsOf = (value: unknown) =>
    identityRulesSchema.safeParse(value).error?.issues.map(issue => issue.message) ?? []
  const withNamespace = (name: string, rule: JsonObject) => ({ namespaces: { ...rules.namespaces, [name]: rule } })

  it('accept their own defaults and namespaces of our own', () => {
    expect(faultsOf(rules)).toEqual([])
    expect(
      faultsOf(withNamespace('membership_no', { class: 'contact', priority: 8, limit: 1, keys: ['membership_no'] })),
    ).toEqual([])
  })

  it('have exactly one login, before all others', () => {
    expect(faultsOf(withNamespace('employee_id', { class: 'login', priority: 2 }))).toContain(
      'Exactly one namespace is the login.',
    )
    expect(faultsOf(withNamespace('visitor', { class: 'device', priority: 1 }))).toContain(
      'The login has the best priority of all.',
    )
  })

  it('limit contacts only, and need a limit for a window', () => {
    expect(faultsOf(withNamespace('visitor', { class: 'device', priority: 9, limit: 5 }))).toEqual([
      'visitor: only contacts have a limit.',
    ])
    expect(faultsOf(withNamespace('badge', { class: 'contact', priority: 9, window: 'weekly' }))).toEqual([
      'badge: a window needs a limit.',
    ])
  })

  it('refuse a pattern that could take for ever', () => {
    expect(faultsOf(withNamespace('badge', { class: 'contact', priority: 9, blockedPatterns: ['(a+)+$'] }))).toEqual([
      'The pattern repeats a group, which can take very long.',
    ])
  })
})
