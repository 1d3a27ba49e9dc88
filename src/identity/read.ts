import { normaliseIdentifier, parseIdentifierKey } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { findIdentityKey } from '../workspaces/index.ts'
import type { NodeId } from './evidence.ts'
import { type Explanation, explain, explainedMax } from './explain.ts'
import { publicIdOf, publicIdOfProfile } from './profile-id.ts'
import { openGraph } from './resolve.ts'
import { complete, type Step } from './step.ts'
import { findNodes, loadEvidence } from './store.ts'
import { type DecidedHistory, readHistoryOf, readRefusals } from './store-decisions.ts'
import { membersOf, profilesOfNodes } from './store-members.ts'
import { readRules } from './store-rules.ts'

/** Questions about who is who: in, a reference or a profile; out, the profile it leads to, or why it is as it is. */

/**
 * The profile that a reference leads to now: `p_…` (any id that a profile ever had) or `namespace:value` in any
 * spelling that the rules normalise. Undefined when no event has carried that identifier.
 */
export async function findProfile(
  client: Queryable,
  workspaceId: number,
  reference: string,
): Promise<NodeId | undefined> {
  const publicId = publicIdOfProfile(reference) ?? (await publicIdOfKey(client, workspaceId, reference))
  const [node] = publicId === undefined ? [] : await findNodes(client, workspaceId, [publicId])
  if (!node || !Number.isFinite(node.firstSeenAt)) return undefined
  return (await profilesOfNodes(client, workspaceId, [node.id])).get(node.id)
}

async function publicIdOfKey(client: Queryable, workspaceId: number, reference: string): Promise<string | undefined> {
  const identifier = parseIdentifierKey(reference)
  const normal = identifier && normaliseIdentifier(identifier, await readRules(client, workspaceId))
  const key = normal && (await findIdentityKey(client, workspaceId))
  return key && publicIdOf(key, normal)
}

export interface ProfileExplanation extends Explanation {
  /** Merges and splits of its identifiers, the newest first. */
  decisions: DecidedHistory[]
}

/** Why a profile consists of what it consists of. */
export async function explainProfile(
  client: Queryable,
  workspaceId: number,
  profile: NodeId,
): Promise<ProfileExplanation> {
  const members = ((await membersOf(client, workspaceId, [profile])).get(profile) ?? []).map(member => member.node)
  const graph = await openGraph(client, workspaceId, await readRules(client, workspaceId))
  const refusals = await readRefusals(client, workspaceId, members, explainedMax)
  const steps = complete(graph, () => {
    for (const { a, b } of refusals) graph.node(a) && graph.node(b)
    return explain(graph, profile, members, refusals)
  })
  const explanation = await readThrough(client, workspaceId, steps)
  return { ...explanation, decisions: await readHistoryOf(client, workspaceId, members) }
}

/** Runs steps that only load. */
async function readThrough<Result>(client: Queryable, workspaceId: number, steps: Step<Result>): Promise<Result> {
  let step = steps.next()
  for (; !step.done; step = steps.next()) {
    if (step.value.kind !== 'load') throw new Error('identity: a reading adds nothing')
    step.value.answer(await loadEvidence(client, workspaceId, step.value.nodes))
  }
  return step.value
}
