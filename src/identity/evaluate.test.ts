import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyRules, events, rebuild, rulesWith, runs } from '../../test/identity-world.ts'
import { defaultIdentityRules, type IdentityRules, parseIdentifierKey } from '../spec/identifier.ts'
import { type CurrentIdentifier, evaluateRules } from './evaluate.ts'
import { isSeen } from './graph.ts'
import { profileLedTo } from './publish.ts'
import type { IdentityEvent } from './resolve-batch.ts'

const identify = (at: number, ...keys: string[]): IdentityEvent => ({
  ...{ messageId: `m${at}`, type: 'identify', source: 'web', at: Date.UTC(2025, 0) + at },
  identifiers: keys.flatMap(key => parseIdentifierKey(key) ?? []),
})

function withLimit(limit: number): IdentityRules {
  const { email } = defaultIdentityRules.namespaces
  if (!email) throw new Error('e-mail is a namespace')
  return { ...defaultIdentityRules, namespaces: { ...defaultIdentityRules.namespaces, email: { ...email, limit } } }
}

/** Who is who under these rules, in pages as the store gives them. */
async function* current(all: IdentityEvent[], rules: IdentityRules): AsyncGenerator<CurrentIdentifier[]> {
  const { graph } = rebuild(all, rules)
  for (const node of graph.nodes()) {
    const { namespace, value, id } = node
    if (isSeen(node)) yield [{ namespace, value, profile: profileLedTo(graph, id) }]
  }
}

async function evaluated(all: IdentityEvent[], before: IdentityRules, after: IdentityRules) {
  async function* inputs() {
    for (const event of all) yield [event]
  }
  const evaluation = await evaluateRules(after, inputs, () => current(all, before))
  if (typeof evaluation === 'string') throw new Error(evaluation)
  return evaluation
}

const visits = [
  identify(1, 'user_id:ada', 'email:ada@example.com'),
  identify(2, 'user_id:ada', 'email:ada.work@example.com'),
  identify(3, 'user_id:grace', 'email:grace@example.com'),
]

describe('a dry run of changed rules', () => {
  it('counts who would part, with an example', async () => {
    const evaluation = await evaluated(visits, withLimit(5), withLimit(1))
    expect(evaluation).toMatchObject({ profilesBefore: 2, profilesAfter: 3, merged: 0, split: 1, dropped: 0 })
    expect(evaluation.samples.split).toEqual([
      [
        { identifier: { namespace: 'email', value: 'ada.work@example.com' }, before: 'A', after: 'A' },
        { identifier: { namespace: 'email', value: 'ada@example.com' }, before: 'A', after: 'B' },
        { identifier: { namespace: 'user_id', value: 'ada' }, before: 'A', after: 'B' },
      ],
    ])
  })

  it('counts who would become one, with an example', async () => {
    const evaluation = await evaluated(visits, withLimit(1), withLimit(5))
    expect(evaluation).toMatchObject({ profilesBefore: 3, profilesAfter: 2, merged: 1, split: 0, dropped: 0 })
    expect(evaluation.samples.merged[0]?.map(one => one.before)).toEqual(['A', 'B', 'B'])
  })

  it('counts what would no longer be an identifier', async () => {
    const blocked = structuredClone(defaultIdentityRules)
    blocked.namespaces.email?.blockedValues.push('grace@example.com')
    const without = visits.map(event => ({
      ...event,
      identifiers: event.identifiers.filter(one => one.value !== 'grace@example.com'),
    }))
    async function* inputs() {
      yield without
    }
    const evaluation = await evaluateRules(blocked, inputs, () => current(visits, defaultIdentityRules))
    expect(evaluation).toMatchObject({ profilesBefore: 2, profilesAfter: 2, dropped: 1 })
  })

  it('finds nothing to change where the rules stay as they are, and mirrors what it finds between any two', async () => {
    await fc.assert(
      fc.asyncProperty(events, anyRules, async (all, other) => {
        const same = await evaluated(all, other, other)
        expect({ ...same, samples: undefined }).toMatchObject({ merged: 0, split: 0, dropped: 0 })
        const rules = rulesWith({})
        const there = await evaluated(all, rules, other)
        const back = await evaluated(all, other, rules)
        expect([there.profilesBefore, there.profilesAfter]).toEqual([back.profilesAfter, back.profilesBefore])
        expect(there.merged > 0).toBe(back.split > 0)
      }),
      { numRuns: Math.ceil(runs * 0.1) },
    )
  })
})
