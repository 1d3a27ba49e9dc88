/**
 * Decisions of operators: in, two profiles or a profile and what does not belong to it, as the operator sees them; out,
 * a message for the log that fixes the nodes it speaks of. Later evidence never changes what a decision says, and an
 * undo takes it out of the evidence as if it had never been there.
 */
import { z } from 'zod'
import type { Identifier, NamespaceClass } from '../spec/identifier.ts'

const identifier = z.strictObject({ namespace: z.string().min(1), value: z.string().min(1) })
const head = {
  /** The messageId of the decision; unique in its workspace. */
  id: z.string().min(1).max(256),
  /** When it was taken, ms. Newer decisions overrule older ones. */
  at: z.number(),
  /** Who took it: an id, never a name. */
  by: z.string().max(256),
}
export const splitNodesMax = 1_000

export const mergeSchema = z.strictObject({
  kind: z.literal('merge'),
  ...head,
  /** The representatives of the two profiles and when each was first seen (ms), as the operator saw them. */
  node: identifier,
  nodeSeenAt: z.number(),
  with: identifier,
  withSeenAt: z.number(),
})
export const splitSchema = z.strictObject({
  kind: z.literal('split'),
  ...head,
  /** What moves out, and what it must stay apart from: the rest's logins, else its contacts, else its devices. */
  out: z.array(identifier).min(1).max(splitNodesMax),
  rest: z.array(identifier).min(1).max(splitNodesMax),
})
const undoSchema = z.strictObject({
  kind: z.literal('undo'),
  ...head,
  /** Id of the merge or split that is taken back. */
  decision: z.string().min(1).max(256),
})
export const decisionSchema = z.discriminatedUnion('kind', [mergeSchema, splitSchema, undoSchema])

export type Merge = z.infer<typeof mergeSchema>
export type Split = z.infer<typeof splitSchema>
export type Undo = z.infer<typeof undoSchema>
export type Decision = z.infer<typeof decisionSchema>

/** Every identifier that a decision names. */
export function identifiersOf(decision: Decision): Identifier[] {
  if (decision.kind === 'merge') return [decision.node, decision.with]
  return decision.kind === 'split' ? [...decision.out, ...decision.rest] : []
}

/** An identifier of a profile, as far as a decision about it needs to know it. */
export interface PlannedIdentifier extends Identifier {
  class: NamespaceClass
  /** ms; Infinity for one that no event has carried. */
  firstSeenAt: number
}

/** Why a decision makes no sense. */
export type PlanFault =
  | 'company'
  | 'same_profile'
  | 'nothing_to_split'
  | 'not_in_profile'
  | 'everything_moved'
  | 'too_many'

/** The decision's own id, when (ms) and by whom it is taken. */
export type Head = { id: string; at: number; by: string }

/** The merge of two profiles, given by their representatives. */
export function planMerge(node: PlannedIdentifier, other: PlannedIdentifier, decision: Head): Merge | PlanFault {
  if (node.class === 'none' || other.class === 'none') return 'company'
  if (node.namespace === other.namespace && node.value === other.value) return 'same_profile'
  return {
    kind: 'merge',
    ...decision,
    node: plain(node),
    nodeSeenAt: node.firstSeenAt,
    with: plain(other),
    withSeenAt: other.firstSeenAt,
  }
}

/** The split that moves `out` away from the other members of a profile. */
export function planSplit(members: PlannedIdentifier[], out: Identifier[], decision: Head): Split | PlanFault {
  if (members.some(member => member.class === 'none')) return 'company'

  const isOut = (member: Identifier) =>
    out.some(moved => moved.namespace === member.namespace && moved.value === member.value)
  const moved = members.filter(isOut)
  if (out.length === 0) return 'nothing_to_split'
  if (out.some(one => !members.some(member => member.namespace === one.namespace && member.value === one.value))) {
    return 'not_in_profile'
  }
  const remaining = members.filter(member => !isOut(member))
  const best = (['login', 'contact', 'device'] as const).find(one => remaining.some(member => member.class === one))
  if (!best) return 'everything_moved'
  const rest = remaining.filter(member => member.class === best)
  if (moved.length > splitNodesMax || rest.length > splitNodesMax) return 'too_many'
  return { kind: 'split', ...decision, out: moved.map(plain), rest: rest.map(plain) }
}

const plain = ({ namespace, value }: Identifier): Identifier => ({ namespace, value })
