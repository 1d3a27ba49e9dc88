/**
 * What a merge does: in, a merge between two nodes; out, its effect by their classes.
 * person + person: a union, whatever the unique rule. device + person: the device is that person's from when it was
 * first seen, and what of it is nobody's is united with them; it never forces two logins together. device + device: a
 * link that obeys the unique rule, no more than an event carrying both would say.
 */
import type { StandingDecision, StandingMerge } from './decision-book.ts'
import { type Claim, type NodeId, strengths } from './evidence.ts'
import { type EvidenceGraph, isSeen } from './graph.ts'

export type MergeEffect =
  | { kind: 'union'; node: NodeId; with: NodeId }
  | { kind: 'claim'; device: NodeId; by: NodeId; at: number }
  | { kind: 'link'; a: NodeId; aAt: number; b: NodeId; bAt: number }

/** The effect of a merge; none while an end was never seen. */
export function effectOf(graph: EvidenceGraph, merge: StandingMerge): MergeEffect | undefined {
  const node = graph.node(merge.node)
  const other = graph.node(merge.with)
  if (!isSeen(node) || !isSeen(other)) return undefined
  const isDevice = node.rule.class === 'device'
  const isOtherDevice = other.rule.class === 'device'
  if (isDevice && isOtherDevice) {
    return { kind: 'link', a: node.id, aAt: merge.nodeSeenAt, b: other.id, bAt: merge.withSeenAt }
  }
  if (isDevice) return { kind: 'claim', device: node.id, by: other.id, at: merge.nodeSeenAt }
  if (isOtherDevice) return { kind: 'claim', device: other.id, by: node.id, at: merge.withSeenAt }
  return { kind: 'union', node: node.id, with: other.id }
}

/** The claim on this device that a decision makes, if it makes one. */
export function deviceClaimOf(graph: EvidenceGraph, decision: StandingDecision, device: NodeId): Claim | undefined {
  const effect = decision.kind === 'merge' ? effectOf(graph, decision) : undefined
  if (effect?.kind !== 'claim' || effect.device !== device) return undefined
  return {
    kind: 'claim',
    node: device,
    by: effect.by,
    at: effect.at,
    messageId: decision.id,
    source: 'operator',
    strength: strengths.operator,
  }
}
