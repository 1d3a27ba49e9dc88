/** Why a profile is as it is: in, a profile; out, its evidence, what was refused, and what operators decided. */
import type { Queryable } from '../store/postgres.ts'
import type { NodeId } from './evidence.ts'
import { type Explanation, explain, explainedMax } from './explain.ts'
import { openGraph } from './resolve.ts'
import { complete, runSteps } from './step.ts'
import { loadEvidence } from './store.ts'
import { type DecidedHistory, readHistoryOf, readRefusals } from './store-decisions.ts'
import { membersOf } from './store-members.ts'
import { readRules } from './store-rules.ts'

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
  const explanation = await runSteps(steps, async request => {
    if (request.kind === 'load') request.answer(await loadEvidence(client, workspaceId, request.nodes))
  })
  return { ...explanation, decisions: await readHistoryOf(client, workspaceId, members) }
}
