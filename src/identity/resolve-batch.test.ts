import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coverageOf } from '../../test/identity-coverage.ts'
import { SimulatedStore } from '../../test/identity-store.ts'
import {
  acted,
  anyRules,
  arrival,
  arrive,
  events,
  eventsWithoutAlias,
  historyIn,
  membersByProfile,
  rebuild,
  rulesWith,
  share,
  signature,
  signatureOf,
} from '../../test/identity-world.ts'
import type { Identifier, IdentityRules } from '../spec/identifier.ts'
import type { EvidenceGraph } from './graph.ts'
import { IdentityInMemory } from './in-memory.ts'
import { profileAt } from './publish.ts'
import type { IdentityEvent, IdentityInput } from './resolve-batch.ts'

const rules = rulesWith({})

/** Resolves batch after batch; a device's past is what came before. */
function live(batches: IdentityInput[][], under: IdentityRules): IdentityInMemory {
  const past: IdentityInput[] = []
  const identity = new IdentityInMemory(
    under,
    historyIn(
      () => identity.graph,
      () => past,
    ),
  )
  for (const batch of batches) {
    identity.resolve(batch)
    past.push(...batch)
  }
  return identity
}

describe('identity', () => {
  it('is the same whatever the order, repetition and size of batches, under any rules', () => {
    fc.assert(
      fc.property(events, arrival, anyRules, (all, how, under) => {
        expect(signatureOf(live(arrive(all, how), under), all)).toEqual(signatureOf(rebuild(all, under), all))
      }),
      share(0.25),
    )
  })

  it('is the same when decisions and undos arrive in any order, even before what they speak of', () => {
    fc.assert(
      fc.property(events, arrival, arrival, anyRules, (all, how, shuffled, under) => {
        const { inputs } = acted(all, how, under)
        expect(signatureOf(live(arrive(inputs, shuffled), under), all)).toEqual(
          signatureOf(rebuild(inputs, under), all),
        )
      }),
      share(0.15),
    )
  })

  it('is after every batch what a rebuild would give, though it loads only what it asks for and forgets the rest', () => {
    fc.assert(
      fc.property(events, arrival, anyRules, fc.constantFrom(0, 3, 1_000), (all, how, under, nodesMax) => {
        const store = new SimulatedStore(100)
        let graph = store.open(under)
        const past: IdentityInput[] = []
        acted(all, how, under, batch => {
          if (nodesMax === 0) graph = store.open(under)
          graph.forgetOldest(nodesMax)
          store.resolve(graph, batch)
          past.push(...batch)
          const stored = signature(store.whole(under), past, store.refusals)
          expect(stored).toEqual(signatureOf(rebuild(past, under), past))
        })
      }),
      share(0.25),
    )
  })

  it('is after an undo as if the decision had never been, with events in between', () => {
    fc.assert(
      fc.property(events, arrival, (all, how) => {
        const { inputs } = acted(all, how, rules)
        const undone = new Set(
          inputs.flatMap(input => ('kind' in input && input.kind === 'undo' ? input.decision : [])),
        )
        const never = inputs.filter(input => !('kind' in input) || (input.kind !== 'undo' && !undone.has(input.id)))
        expect(signatureOf(rebuild(inputs, rules), all)).toEqual(signatureOf(rebuild(never, rules), all))
      }),
      share(0.1),
    )
  })

  it('obeys the last decision', () => {
    fc.assert(
      fc.property(events, arrival, (all, how) => {
        const { inputs, standing } = acted(all, how, rules)
        const last = standing.at(-1)
        const { graph } = rebuild(inputs, rules)
        if (last?.kind === 'split') {
          for (const members of membersByProfile(graph).values()) {
            const keys = new Set(members.map(({ namespace, value }) => `${namespace}:${value}`))
            const holds = (side: typeof last.out) => side.some(one => keys.has(`${one.namespace}:${one.value}`))
            expect(holds(last.out) && holds(last.rest)).toBe(false)
          }
        }
        if (last?.kind === 'merge') {
          const [node, other] = [graph.find(last.node), graph.find(last.with)]
          // A device is merged for its time only, and two devices no more than an event with both would.
          const isOfPeople = node?.rule.class !== 'device' && other?.rule.class !== 'device'
          if (isOfPeople) expect(node?.profile).toBe(other?.profile)
        }
      }),
      share(0.06),
    )
  })

  it('never puts two logins into one profile unless an alias or an operator does', () => {
    fc.assert(
      fc.property(eventsWithoutAlias, anyRules, (all, under) => {
        for (const members of membersByProfile(rebuild(all, under).graph).values()) {
          expect(members.filter(member => member.class === 'login').length).toBeLessThanOrEqual(1)
        }
      }),
      share(0.03),
    )
  })

  it('gives what a shared device did alone to the login of its time', () => {
    fc.assert(
      fc.property(eventsWithoutAlias, all => {
        const { graph } = rebuild(all, rules)
        for (const event of all) {
          const login = event.identifiers.length === 1 ? loginOfItsTime(event, all) : undefined
          const [device] = event.identifiers
          const node = device && graph.find(device)
          if (login && node) expect(keyAt(graph, node.id, event.at)).toBe(login)
        }
      }),
      share(0.03),
    )
  })

  it('never lets an id that a login once had name a person without it', () => {
    fc.assert(
      fc.property(eventsWithoutAlias, arrival, (all, how) => {
        const loginsOfId = new Map<string, Set<string>>()
        const identity = new IdentityInMemory(
          rules,
          historyIn(
            () => identity.graph,
            () => all,
          ),
        )
        for (const batch of arrive(all, how)) {
          identity.resolve(batch)
          for (const [id, members] of membersByProfile(identity.graph)) {
            const logins = new Set(members.filter(one => one.class === 'login').map(one => one.value))
            const before = loginsOfId.get(id)
            if (before) expect(before.isDisjointFrom(logins)).toBe(false)
            if (logins.size > 0) loginsOfId.set(id, logins)
          }
        }
      }),
      share(0.04),
    )
  })

  it('needs no more evidence than it keeps: with every event of every device the result is the same', () => {
    fc.assert(
      fc.property(events, anyRules, (all, under) => {
        const full = rebuild(all, under)
        for (const node of full.graph.nodes()) {
          if (node.rule.class === 'device' && node.evidence) node.evidence.isFull = true
        }
        full.resolve(all)
        expect(signatureOf(full, all)).toEqual(signatureOf(rebuild(all, under), all))
      }),
      share(0.04),
    )
  })

  it('tells of every profile that begins or ends, and of every one whose identifiers change', () => {
    fc.assert(
      fc.property(events, arrival, fc.boolean(), (all, how, isForgetful) => {
        const store = new SimulatedStore()
        let graph = store.open(rules)
        let before = holdings(graph)
        acted(all, how, rules, batch => {
          if (isForgetful) graph = store.open(rules)
          const { profileChanges, touchedProfiles } = store.resolve(graph, batch)
          const whole = store.whole(rules)
          const keyOf = (profile: number) => whole.node(profile).key
          const alive = new Set(before.keys())
          for (const change of profileChanges) {
            if (change.kind === 'created' || change.kind === 'split') {
              const begun = keyOf(change.kind === 'created' ? change.profile : change.to)
              expect(alive.has(begun)).toBe(false)
              alive.add(begun)
            } else {
              expect(alive.delete(keyOf(change.from))).toBe(true)
              if (change.kind === 'renamed') alive.add(keyOf(change.to))
            }
          }
          const after = holdings(whole)
          expect(alive).toEqual(new Set(after.keys()))
          const touched = new Set([...touchedProfiles].map(keyOf))
          for (const profile of alive.union(new Set(before.keys()))) {
            if (before.get(profile) !== after.get(profile)) expect(touched).toContain(profile)
          }
          before = after
        })
      }),
      share(0.05),
    )
  })

  it('is tried on worlds that reach its rare cases', () => {
    const reached = coverageOf(600)
    for (const [what, times] of Object.entries(reached)) expect(times, what).toBeGreaterThan(0)
  })
})

/** The oracle: five lines that know nothing of graphs. */
function loginOfItsTime(event: IdentityEvent, all: IdentityEvent[]): string | undefined {
  const [device] = event.identifiers
  if (device?.namespace !== 'anonymous_id' && device?.namespace !== 'ios.id') return undefined
  const onDevice = all.filter(one =>
    one.identifiers.some(id => id.namespace === device.namespace && id.value === device.value),
  )
  const logins = onDevice
    .flatMap(({ at, messageId, identifiers }) => {
      const login = identifiers.find(id => id.namespace === 'user_id')
      return login ? [{ at, messageId, key: `user_id:${login.value}` }] : []
    })
    .sort((x, y) => x.at - y.at || (x.messageId < y.messageId ? -1 : 1))
  return (logins.findLast(login => login.at <= event.at) ?? logins[0])?.key
}

const keyAt = (graph: EvidenceGraph, node: number, at: number) => graph.node(profileAt(graph, node, at)).key

/** What each profile holds, with the intervals of shared devices, as text. */
function holdings(graph: EvidenceGraph): Map<string, string> {
  const intervalsOf = (profile: string, { namespace, value }: Identifier) =>
    graph
      .find({ namespace, value })
      ?.evidence?.owners.filter(owner => graph.node(owner.profile).key === profile)
      .map(({ from, to }) => `${from}–${to}`)
  const held = [...membersByProfile(graph)].map(([profile, members]): [string, string] => [
    profile,
    members
      .map(member => [member.namespace, member.value, ...(intervalsOf(profile, member) ?? [])].join(' '))
      .join(', '),
  ])
  return new Map(held)
}
