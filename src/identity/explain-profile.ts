import type { Queryable } from '../store/postgres.ts'
import type { NodeId } from './evidence.ts'
import { type Explanation, explain, explainedMax } from './explain.ts'
import { openGraph } from './resolve.ts'
import { complete, type Step } from './step.ts'
import { loadEvidence } from './store.ts'
import { type DecidedHistory, readHistoryOf, readRefusals } from './store-decisions.ts'
import { membersOf } from './store-members.ts'
import { readRules } from './store-rules.ts'

/** Why a profile is as it is: in, a profile; out, its evidence, what was refused, and what operators decided. */

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
