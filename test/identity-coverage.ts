/** How often random worlds reach what is rare; a property that never gets there proves nothing. */
import fc from 'fast-check'
import { View } from '../src/identity/anchor.ts'
import type { Decision } from '../src/identity/decision.ts'
import type { EvidenceGraph } from '../src/identity/graph.ts'
import type { Identifier } from '../src/spec/identifier.ts'
import { SimulatedStore } from './identity-store.ts'
import { acted, anyRules, arrival, events } from './identity-world.ts'

export function coverageOf(worlds: number): Record<string, number> {
  const reached: Record<string, number> = {
    ...{ 'refused: unique': 0, 'refused: limit': 0, 'refused: split': 0 },
    ...{ 'refused: a link': 0, 'refused: a claim': 0, 'refused: an alias': 0, 'refused: a merge': 0 },
    ...{ 'merge of people': 0, 'merge of a device and a person': 0, 'merge of devices': 0, 'split of a device': 0 },
    ...{ 'a device contested late': 0, 'a device of several people': 0, 'a crowded device': 0, 'an undo': 0 },
    ...{ 'an alias of the unseen': 0, 'a contact beyond the limit': 0, 'a full window': 0, 'a last holder': 0 },
    ...{ 'a profile renamed': 0, 'profiles merged': 0, 'a profile split': 0, 'evidence superseded': 0 },
  }
  const count = (what: string, times = 1) => {
    reached[what] = (reached[what] ?? 0) + times
  }
  for (const [all, how, rules] of fc.sample(fc.tuple(events, arrival, anyRules), { numRuns: worlds, seed: 1 })) {
    const store = new SimulatedStore()
    const graph = store.open(rules)
    acted(all, how, rules, batch => {
      const outcome = store.resolve(graph, batch)
      for (const { kind } of outcome.profileChanges) count(changeNames[kind])
      count('evidence superseded', outcome.rows.removed.size)
      for (const decision of outcome.decisions) countDecision(graph, decision, count)
      for (const refusal of outcome.refusals.rows) {
        count(`refused: ${refusal.rule}`)
        count(`refused: ${refusal.kind === 'alias' ? 'an alias' : `a ${refusal.kind}`}`)
      }
    })
    count('a device contested late', store.histories)
    countStanding(store.whole(rules), count)
  }
  return reached
}

type Count = (what: string, times?: number) => void

const changeNames = {
  created: 'a profile created',
  renamed: 'a profile renamed',
  merged: 'profiles merged',
  split: 'a profile split',
}

function countDecision(graph: EvidenceGraph, decision: Decision, count: Count): void {
  const isDevice = (one: Identifier) => graph.find(one)?.rule.class === 'device'
  if (decision.kind === 'undo') count('an undo')
  else if (decision.kind === 'split') count('split of a device', decision.out.filter(isDevice).length)
  else {
    const devices = [decision.node, decision.with].filter(isDevice).length
    count(['merge of people', 'merge of a device and a person', 'merge of devices'][devices] ?? '')
  }
}

function countStanding(graph: EvidenceGraph, count: Count): void {
  const view = new View(graph)
  for (const node of graph.nodes()) {
    if (node.profile === 0) count('a device of several people')
    if (node.firstSeenAt === Number.POSITIVE_INFINITY) count('an alias of the unseen')
    const choice = node.rule.class === 'contact' && !view.isExplicit(node.id) && view.choice(node.id)
    if (choice && view.contactAnchor(node) === node.id) {
      count('a contact beyond the limit')
      if (node.rule.window === 'weekly') count('a full window')
    }
    const claims = graph.evidence(node.id).claims
    if (node.rule.holder === 'last' && claims.some(claim => claim.by !== claims[0]?.by)) count('a last holder')
    for (const link of [...graph.evidence(node.id).links.values()].flat()) {
      if (!view.joins(link)) count('a crowded device')
    }
  }
}
