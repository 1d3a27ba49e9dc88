/** SQL of what was decided and refused: in, the identifiers of a profile; out, its history. */
import type { Queryable } from '../store/postgres.ts'
import { all, first } from '../store/query.ts'
import { type Merge, mergeSchema, type Split, splitSchema } from './decision.ts'
import type { StandingDecision } from './decision-book.ts'
import type { NodeId } from './evidence.ts'
import type { StoredRefusal } from './explain.ts'

export interface DecidedHistory {
  decision: Merge | Split
  /** ms; absent while it stands. */
  undoneAt?: number
  undoneBy?: string
}

interface DecisionRow {
  body: { kind: string }
  undone_at: Date | null
  undone_by: string | null
}

function historyOf({ body, undone_at, undone_by }: DecisionRow): DecidedHistory {
  const decision = body.kind === 'merge' ? mergeSchema.parse(body) : splitSchema.parse(body)
  return undone_at ? { decision, undoneAt: undone_at.getTime(), undoneBy: undone_by ?? '' } : { decision }
}

/** Decisions that name any of these nodes, the newest first, undone ones among them. */
export async function readHistoryOf(
  client: Queryable,
  workspaceId: number,
  nodes: NodeId[],
): Promise<DecidedHistory[]> {
  const rows = await all<DecisionRow>(
    client,
    `select body, undone_at, undone_by
    from identity.decision
    where workspace_id = $1 and body is not null and (nodes && $2::bigint[] or rest && $2::bigint[])
    order by at desc, id desc`,
    [workspaceId, nodes],
  )
  return rows.map(historyOf)
}

export async function findDecision(
  client: Queryable,
  workspaceId: number,
  id: string,
): Promise<DecidedHistory | undefined> {
  const row = await first<DecisionRow>(
    client,
    `select body, undone_at, undone_by
    from identity.decision
    where workspace_id = $1 and id = $2 and body is not null`,
    [workspaceId, id],
  )
  return row && historyOf(row)
}

interface RefusalRow extends Omit<StoredRefusal, 'at' | 'messageId' | 'namespace'> {
  at: Date
  message_id: string
  namespace: string | null
}

/** Refusals at these nodes, the first shown first. */
export async function readRefusals(
  client: Queryable,
  workspaceId: number,
  nodes: NodeId[],
  limit: number,
): Promise<StoredRefusal[]> {
  const rows = await all<RefusalRow>(
    client,
    `select u, v, kind, a, b, rule, namespace, at, message_id, source, strength
    from identity.refusal
    where workspace_id = $1 and (u = any($2::bigint[]) or v = any($2::bigint[]))
    order by at, message_id
    limit $3`,
    [workspaceId, nodes, limit],
  )
  return rows.map(({ at, message_id, namespace, ...row }) => {
    const refusal = { ...row, at: at.getTime(), messageId: message_id }
    return namespace === null ? refusal : { ...refusal, namespace }
  })
}

/** Ids of all merges and splits, undone ones included. */
export async function readDecisionIds(client: Queryable, workspaceId: number): Promise<string[]> {
  const rows = await all<{ id: string }>(
    client,
    'select id from identity.decision where workspace_id = $1 and body is not null order by id',
    [workspaceId],
  )
  return rows.map(row => row.id)
}

/** Which nodes decisions name follows from the rules; none where these do not know what is named. */
export async function updateDecisions(
  client: Queryable,
  workspaceId: number,
  decisions: { id: string; standing: StandingDecision | undefined }[],
): Promise<void> {
  for (const { id, standing } of decisions) {
    await client.query('update identity.decision set nodes = $3, rest = $4 where workspace_id = $1 and id = $2', [
      workspaceId,
      id,
      ...namedNodes(standing),
    ])
  }
}

/** The nodes that a stored decision names, as its two columns. */
function namedNodes(standing: StandingDecision | undefined): [nodes: NodeId[], rest: NodeId[]] {
  if (!standing) return [[], []]
  return standing.kind === 'split' ? [standing.out, standing.rest] : [[standing.node], [standing.with]]
}
