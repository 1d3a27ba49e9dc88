/**
 * Decisions of operators: in, profiles as they stand and what shall become of them; out, a message to put into the log,
 * or why that makes no sense. Nothing changes before the pipeline has read the message.
 */
import type { Identifier } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { type Head, type Merge, type PlanFault, planMerge, planSplit, type Split, type Undo } from './decision.ts'
import type { NodeId } from './evidence.ts'
import { findDecision } from './store-decisions.ts'
import { membersOf } from './store-members.ts'

/** A merge of two profiles, given by their representatives' nodes. */
export async function decideMerge(
  client: Queryable,
  workspaceId: number,
  profiles: [NodeId, NodeId],
  head: Head,
): Promise<Merge | PlanFault> {
  const members = await membersOf(client, workspaceId, profiles)
  const [one, other] = profiles.map(profile => members.get(profile)?.find(member => member.node === profile))
  return one && other ? planMerge(one, other, head) : 'not_in_profile'
}

/** A split that moves identifiers (in normal form) out of a profile. */
export async function decideSplit(
  client: Queryable,
  workspaceId: number,
  { profile, out }: { profile: NodeId; out: Identifier[] },
  head: Head,
): Promise<Split | PlanFault> {
  const members = await membersOf(client, workspaceId, [profile])
  return planSplit(members.get(profile) ?? [], out, head)
}

export type UndoFault = 'unknown_decision' | 'already_undone'

/** Takes a merge or split back. `decision` is its id. */
export async function decideUndo(
  client: Queryable,
  workspaceId: number,
  decision: string,
  head: Head,
): Promise<Undo | UndoFault> {
  const known = await findDecision(client, workspaceId, decision)
  if (!known) return 'unknown_decision'
  return known.undoneAt === undefined ? { kind: 'undo', ...head, decision } : 'already_undone'
}
