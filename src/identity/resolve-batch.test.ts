import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arrival,
  arrive,
  decide,
  events,
  historyIn,
  rulesWith,
  SimulatedStore,
  share,
  signature,
} from '../../test/identity-world.ts'
import type { Decision } from './decision.ts'
import { IdentityInMemory } from './in-memory.ts'
import type { IdentityInput } from './resolve-batch.ts'

const rules = rulesWith({})

function rebuild(inputs: IdentityInput[], with_ = rules): IdentityInMemory {
  const identity = new IdentityInMemory(
    with_,
    historyIn(
      () => identity.graph,
      () => inputs,
    ),
  )
  identity.resolve(inputs)
  return identity
}

const signatureOf = (identity: IdentityInMemory, inputs: IdentityInput[]) =>
  signature(identity.graph, inputs, identity.refusals.all())

describe('identity', () => {
  it('is the same whatever the order, repetition and size of batches', () => {
    fc.assert(
      fc.property(events, arrival, (all, how) => {
        const expected = signatureOf(rebuild(all), all)
        const past: IdentityInput[] = []
        const identity = new IdentityInMemory(
          rules,
          historyIn(
            () => identity.graph,
            () => past,
          ),
        )
        for (const batch of arrive(all, how)) {
          identity.resolve(batch)
          past.push(...batch)
        }
        expect(signatureOf(identity, all)).toEqual(expected)
      }),
      share(0.3),
    )
  })

  it('is after every batch what a rebuild would give, loading only what it asks for', () => {
    fc.assert(
      fc.property(events, arrival, fc.boolean(), (all, how, isForgetful) => {
        const store = new SimulatedStore(100)
        let graph = store.open(rules)
        const past: IdentityInput[] = []
        const decisions: Decision[] = []
        const step = (batch: IdentityInput[]) => {
          if (isForgetful) graph = store.open(rules)
          store.resolve(graph, batch)
          past.push(...batch)
          const held = store.whole(rules)
          expect(signature(held, past, store.refusals)).toEqual(signatureOf(rebuild(past), past))
        }
        for (const [index, batch] of arrive(all, how).entries()) {
          step(batch)
          const act = how.acts[index % how.acts.length]
          const decision = act && decide(store.whole(rules), act, index, decisions)
          if (!decision) continue
          decisions.push(decision)
          step([decision])
        }
      }),
      share(0.3),
    )
  })
})
