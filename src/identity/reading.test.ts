import { expect, it } from 'vitest'
import { defaultIdentityRules, type IdentityRules, type NamespaceRule } from '../spec/identifier.ts'
import { inputOf } from './input.ts'
import { changedReadings, isReadAlike } from './reading.ts'

const withNamespace = (name: string, change: Partial<NamespaceRule>): IdentityRules => ({
  ...defaultIdentityRules,
  namespaces: {
    ...defaultIdentityRules.namespaces,
    [name]: { ...defaultIdentityRules.namespaces[name], ...change } as NamespaceRule,
  },
})

const event = (messageId: string, more: object) => ({
  entry: {
    ...{ messageId, type: 'track' as const, source: 'web', ...more },
    ...{ timestamp: '2026-03-01T12:00:00.000Z', receivedAt: '2026-03-01T12:00:00.000Z' },
  },
})

const changed = (entries: ReturnType<typeof event>[], rules: IdentityRules) =>
  changedReadings(
    entries,
    entries.map(({ entry }) => inputOf(entry, rules)),
    defaultIdentityRules,
    rules,
  )

it('takes rules that differ in limits, windows, holders and crowds alone for the same readers of events', () => {
  expect(isReadAlike(withNamespace('email', { limit: 1, window: 'weekly' }), defaultIdentityRules)).toBe(true)
  expect(isReadAlike(withNamespace('email', { holder: 'last' }), defaultIdentityRules)).toBe(true)
  expect(isReadAlike({ ...defaultIdentityRules, crowd: 3 }, defaultIdentityRules)).toBe(true)
  for (const change of [
    { priority: 30 },
    { normaliser: 'lower' },
    { keys: ['mail'] },
    { blockedValues: [] },
  ] as const) {
    expect(isReadAlike(withNamespace('email', { ...change } as Partial<NamespaceRule>), defaultIdentityRules)).toBe(
      false,
    )
  }
  expect(isReadAlike({ ...defaultIdentityRules, phoneCountry: 'DE' }, defaultIdentityRules)).toBe(false)
})

it('finds the events that mean something else, and what they meant before', () => {
  const entries = [event('1', { userId: 'Ada' }), event('2', { userId: 'grace' }), event('3', { anonymousId: 'Ada' })]
  expect(changed(entries, withNamespace('user_id', { normaliser: 'lower' }))).toEqual({
    places: [0],
    identifiers: [{ namespace: 'user_id', value: 'Ada' }],
  })
})

it('sees another order of priority only in events that have both', () => {
  const traits = { email: 'ada@example.com', phone: '+4915112345678' }
  const entries = [event('1', { traits }), event('2', { traits: { email: 'ada@example.com' } })]
  expect(changed(entries, withNamespace('phone', { priority: 2 })).places).toEqual([])
  const emailLast = withNamespace('email', { priority: 50 })
  expect(changed(entries, emailLast).places).toEqual([0])
})

it('reads decisions under the rules too', () => {
  const lower = withNamespace('user_id', { normaliser: 'lower' })
  const named = (value: string) => ({ namespace: 'user_id', value })
  const head = { id: 'd1', at: 1, by: 'ada' }
  const decided = (decision: object) =>
    inputOf({ ...event('d', {}).entry, type: 'decision', decision } as Parameters<typeof inputOf>[0], lower)
  expect(
    decided({ kind: 'merge', ...head, node: named('Ada'), nodeSeenAt: 1, with: named('Tom'), withSeenAt: 2 }),
  ).toMatchObject({ node: named('ada'), with: named('tom') })
  expect(decided({ kind: 'split', ...head, out: [named('ADA'), named('Tom')], rest: [named('Ada')] })).toMatchObject({
    out: [named('tom')],
    rest: [named('ada')],
  })
})
