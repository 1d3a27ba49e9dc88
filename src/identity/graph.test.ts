import { expect, it } from 'vitest'
import { defaultIdentityRules } from '../spec/identifier.ts'
import { EvidenceGraph } from './graph.ts'

const named = (value: number) => ({ namespace: 'anonymous_id', value: `browser-${value}` })
const recordOf = (id: number) => ({ id, ...named(id), firstSeenAt: id, profile: id })

function graphOf(size: number): EvidenceGraph {
  const graph = new EvidenceGraph(defaultIdentityRules)
  for (let id = 1; id <= size; id += 1) graph.list(recordOf(id), true)
  return graph
}

it('forgets nothing while there is room', () => {
  const graph = graphOf(4)
  graph.forgetOldest(4)
  graph.forgetOldest(4)
  expect(graph.size).toBe(4)
})

it('forgets what was not read since it was last too full, by number and by value', () => {
  const graph = graphOf(4)
  graph.forgetOldest(3)
  graph.node(1)
  graph.find(named(2))
  graph.forgetOldest(3)
  expect([1, 2, 3, 4].map(id => graph.isListed(id))).toEqual([true, true, false, false])
  expect([1, 2, 3, 4].map(id => graph.find(named(id))?.id)).toEqual([1, 2, undefined, undefined])
})

it('asks for what it was read for and does not hold, once', () => {
  const graph = graphOf(1)
  graph.list(recordOf(2), false)
  expect(graph.evidence(1).claims).toEqual([])
  expect(graph.takeMissing()).toEqual([])
  graph.evidence(2)
  graph.node(3)
  graph.node(2)
  expect(graph.takeMissing()).toEqual([2, 3])
  expect(graph.takeMissing()).toEqual([])
})
