import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultIdentityRules, type IdentityRules, type NamespaceRule } from '../../src/spec/identifier.ts'
import { type RulesApplication as Application, apply, finished, ROOT, withNamespace } from '../apply-rules.ts'
import { personsOf, stateOf } from '../identity-state.ts'
import { history } from '../rules-history.ts'
import { defaultWorkspaceOf, openWorkspace, type Workspace } from '../workspace.ts'
import { openWorld, type World } from '../world.ts'

interface Evaluation {
  profilesBefore: number
  profilesAfter: number
  merged: number
  split: number
  dropped: number
  samples: { merged: object[][]; split: object[][] }
}

let world: World
let northwind: Workspace
beforeAll(async () => {
  world = await openWorld()
  northwind = defaultWorkspaceOf(world)
  await world.send(...history)
})
afterAll(() => world.close())

const people = async (workspace: Workspace) =>
  (await workspace.get<{ data: object[] }>('/api/v1/profiles?limit=200')).data.length

const changes: [what: string, rules: IdentityRules, expected: { merged: number; split: number }][] = [
  ['a lower limit', withNamespace('email', { limit: 1 }), { merged: 0, split: 1 }],
  ['the last holder', withNamespace('email', { holder: 'last' }), { merged: 1, split: 1 }],
  ['a blocked value', withNamespace('email', { blockedValues: ['shop@example.com'] }), { merged: 0, split: 1 }],
  ['logins in lower case', withNamespace('user_id', { normaliser: 'lower' }), { merged: 1, split: 0 }],
  ['another order of priority', withNamespace('email', { priority: 50 }), { merged: 0, split: 0 }],
  [
    'a namespace with keys of its own',
    withNamespace('member_no', {
      ...(defaultIdentityRules.namespaces.loyalty_id as NamespaceRule),
      priority: 20,
      keys: ['member_no'],
    }),
    { merged: 1, split: 0 },
  ],
  ['devices that join nobody', withNamespace('anonymous_id', { class: 'none' }), { merged: 0, split: 0 }],
]

describe('rules that change', { timeout: 90_000 }, () => {
  afterEach(() => apply(northwind, defaultIdentityRules))

  it.each(changes)('do what their dry run says: %s', async (_what, rules, expected) => {
    const evaluation = (await northwind.request('POST', `${ROOT}/evaluations`, { rules })).body as Evaluation
    const before = await stateOf(northwind, { withIds: true })
    expect(evaluation.profilesBefore).toBe(await people(northwind))
    if (rules.namespaces.anonymous_id?.class !== 'none') expect(evaluation).toMatchObject(expected)

    const application = await apply(northwind, rules)
    expect(application).toMatchObject({ state: 'done', failure: null })
    expect(evaluation.profilesAfter).toBe(await people(northwind))
    const { inClickHouse, inTimelines } = await personsOf(world, northwind)
    expect(inTimelines).toEqual(inClickHouse)

    const fresh = await openWorkspace(world, _what)
    await apply(fresh, rules)
    await fresh.send(...history)
    await world.settled()
    expect(await stateOf(northwind, { withIds: false })).toEqual(await stateOf(fresh, { withIds: false }))

    // Back to the defaults: not a trace is left.
    const { status, body } = await northwind.request('DELETE', ROOT)
    expect(status).toBe(202)
    await finished(northwind, (body as Application).id)
    expect(await stateOf(northwind, { withIds: true })).toEqual(before)
  })
})
