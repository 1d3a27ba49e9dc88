import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../spec/json.ts'
import { foldProfile, type OwnedFragment, type TraitPolicies } from './fold.ts'
import { canonical, type Fragment, fragmentOf, type Keeping, mergeFragments } from './fragment.ts'

const RUNS = Math.min(Number(process.env.THROUGHLINE_RUNS ?? 2_000), 20_000)

/** Few traits, values and times, so that ties, repetitions and conflicts are common. */
const traitsArbitrary = fc.dictionary(
  fc.constantFrom('plan', 'email', 'score'),
  fc.oneof(
    fc.constantFrom<Json>('a', 'b', null),
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom<Json>(['x'], { k: 1, j: 2 }),
  ),
  { minKeys: 1 },
)
const saidArbitrary = fc.record({
  traits: traitsArbitrary,
  at: fc.integer({ min: 0, max: 6 }),
  id: fc.integer({ min: 0, max: 99 }).map(n => `m${n}`),
})
type Said = { traits: { [trait: string]: Json }; at: number; id: string }
/** A message says one thing at one time. */
const history = fc.uniqueArray(saidArbitrary, { maxLength: 12, selector: said => said.id })

/** A third of the messages set the plan once only. */
const isOnce = (said: Said) => Number(said.id.slice(1)) % 3 === 0
const fragment = (said: Said) => fragmentOf(said.traits, said.at, said.id, isOnce(said) ? new Set(['plan']) : undefined)
const mergeAll = (parts: Fragment[], keeping: Keeping) =>
  parts.reduce((a, b) => mergeFragments(a, b, keeping), fragmentOf({}, 0, ''))
const keepings = fc.constantFrom<Keeping>('by-value', 'by-message')
const text = (value: unknown) => canonical(JSON.parse(JSON.stringify(value)) as Json)

describe('a fragment', () => {
  it('does not depend on the order, repetition or grouping of what was said', () => {
    fc.assert(
      fc.property(history, keepings, fc.infiniteStream(fc.nat()), (said, keeping, random) => {
        const straight = mergeAll(said.map(fragment), keeping)
        const shuffled = [...said, ...said.slice(0, 3)]
          .map(one => ({ one, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => fragment(one))
        const cut = shuffled.length >> 1
        const grouped = mergeFragments(
          mergeAll(shuffled.slice(0, cut), keeping),
          mergeAll(shuffled.slice(cut), keeping),
          keeping,
        )
        expect(text(grouped)).toBe(text(straight))
      }),
      { numRuns: RUNS },
    )
  })

  it('survives being stored as JSON, whatever its traits are called', () => {
    const said = fragmentOf(JSON.parse('{"__proto__": "x", "constructor": 1, "plain": {"b": 1, "a": 2}}'), 1, 'm')
    const stored = mergeFragments(JSON.parse(JSON.stringify(said)), fragmentOf({ plain: 3 }, 0, 'n'), 'by-value')
    expect(Object.keys(stored)).toEqual(['__proto__', 'constructor', 'plain'])
    expect(stored.plain?.latest).toEqual([
      [{ b: 1, a: 2 }, 1, 'm'],
      [3, 0, 'n'],
    ])
  })
})

/** The five-line oracle: sort everything that was said, take the last (first, greatest). */
function oracle(
  said: (Said & { source: string })[],
  trait: string,
  rule: 'latest' | 'first' | 'max',
): Json | undefined {
  const all = said.filter(one => one.traits[trait] !== undefined)
  const normal = all.filter(one => trait !== 'plan' || !isOnce(one))
  const sorted = (normal.length > 0 ? normal : all).toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  if (normal.length === 0) return sorted[0]?.traits[trait] ?? undefined
  const numbers = sorted.filter(one => typeof one.traits[trait] === 'number')
  const greatest = Math.max(...numbers.map(one => one.traits[trait] as number))
  const chosen =
    rule === 'first'
      ? sorted[0]
      : rule === 'max' && numbers.length > 0
        ? numbers.find(one => one.traits[trait] === greatest)
        : sorted.at(-1)
  const value = chosen?.traits[trait]
  return value === null ? undefined : value
}

describe('the fold', () => {
  it('takes the last, first or greatest value by event time, over all sources, as a sort of everything would', () => {
    const sources = fc.constantFrom('web', 'shop', 'mail')
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ said: saidArbitrary, source: sources }), {
          maxLength: 10,
          selector: one => one.said.id,
        }),
        fc.constantFrom('latest' as const, 'first' as const, 'max' as const),
        (entries, rule) => {
          const bySource = Map.groupBy(entries, entry => entry.source)
          const owned: OwnedFragment[] = [...bySource].map(([source, list]) => ({
            source,
            fragment: mergeAll(
              list.map(entry => fragment(entry.said)),
              'by-value',
            ),
          }))
          const policies: TraitPolicies = Object.fromEntries(
            ['plan', 'email', 'score'].map(trait => [trait, { rule, sources: [] }]),
          )
          const folded = foldProfile(owned, policies)
          for (const trait of ['plan', 'email', 'score']) {
            expect(folded.traits[trait]).toEqual(
              oracle(
                entries.map(entry => ({ ...entry.said, source: entry.source })),
                trait,
                rule,
              ),
            )
          }
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('names the source, message and time of each value and what it overruled', () => {
    const folded = foldProfile(
      [
        { source: 'website', fragment: fragmentOf({ plan: 'free' }, 1_000, 'm1') },
        { source: 'shop', fragment: fragmentOf({ plan: 'pro' }, 2_000, 'm2') },
      ],
      {},
    )
    expect(folded.traits.plan).toBe('pro')
    expect(folded.provenance.plan).toEqual({
      source: 'shop',
      messageId: 'm2',
      timestamp: '1970-01-01T00:00:02.000Z',
      overruled: [{ value: 'free', source: 'website', messageId: 'm1', timestamp: '1970-01-01T00:00:01.000Z' }],
    })
  })

  it('lets an edit in the CRM stand against later tracking, unless the policy of the trait says otherwise', () => {
    const fragments: OwnedFragment[] = [
      { source: 'crm', fragment: fragmentOf({ phone: 'edited' }, 1_000, 'm1') },
      { source: 'website', fragment: fragmentOf({ phone: 'tracked' }, 2_000, 'm2') },
    ]
    expect(foldProfile(fragments, {}).traits.phone).toBe('edited')
    expect(foldProfile(fragments, { phone: { rule: 'latest', sources: [] } }).traits.phone).toBe('tracked')
  })

  it("gives each owner of a shared device what was said in the owner's time", () => {
    const device = mergeAll(
      [fragmentOf({ size: 'S' }, 10, 'a'), fragmentOf({ size: 'M' }, 20, 'b'), fragmentOf({ size: 'S' }, 30, 'c')],
      'by-message',
    )
    const during = (from: number, to: number) =>
      foldProfile([{ source: 'web', fragment: device, intervals: [{ from, to }] }], {}).traits.size
    expect([during(0, 20), during(20, 30), during(30, 99), during(40, 50)]).toEqual(['S', 'M', 'S', undefined])
  })

  it('collects every distinct value under a union', () => {
    const folded = foldProfile(
      [
        {
          source: 'a',
          fragment: mergeAll(
            [fragmentOf({ tags: ['x', 'y'] }, 1, 'm1'), fragmentOf({ tags: 'z' }, 2, 'm2')],
            'by-value',
          ),
        },
        { source: 'b', fragment: fragmentOf({ tags: ['y'] }, 3, 'm3') },
      ],
      { tags: { rule: 'union', sources: [] } },
    )
    expect(folded.traits.tags).toEqual(['x', 'y', 'z'])
  })

  it('treats null as a value that says there is none', () => {
    const fragments = [
      { source: 'web', fragment: fragmentOf({ phone: '1' }, 1, 'm1') },
      { source: 'shop', fragment: fragmentOf({ phone: null }, 2, 'm2') },
    ]
    expect(foldProfile(fragments, {}).traits).toEqual({})
  })

  it('lets a value that was set once stand only while nothing else is known, the earliest of such first', () => {
    const once = (value: string, when: number, id: string) =>
      fragmentOf({ origin: value }, when, id, new Set(['origin']))
    const fold = (...parts: Fragment[]) =>
      foldProfile([{ source: 'web', fragment: mergeAll(parts, 'by-value') }], {}).traits.origin
    expect(fold(once('mail', 5, 'a'), once('search', 3, 'b'))).toBe('search')
    expect(fold(once('mail', 9, 'a'), fragmentOf({ origin: 'said' }, 1, 'b'))).toBe('said')
  })
})
