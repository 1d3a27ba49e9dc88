/** SQL of the decisions that stand: in, decisions as the pipeline reads them; out, all of a workspace, by node number. */
import type { Queryable } from '../store/postgres.ts'
import { all } from '../store/query.ts'
import { type Decision, mergeSchema, splitSchema } from './decision.ts'
import type { StandingDecision } from './decision-book.ts'
import { instant } from './store.ts'

/** All decisions of a workspace, undone ones included. */
export async function readDecisions(
  client: Queryable,
  workspaceId: number,
): Promise<{ standing: StandingDecision[]; undone: string[] }> {
  const rows = await all<{ id: string; body: unknown; nodes: number[]; rest: number[]; is_undone: boolean }>(
    client,
    `select id, body, nodes, rest, undone_at is not null as is_undone
    from identity.decision
    where workspace_id = $1`,
    [workspaceId],
  )
  const standing = rows.flatMap(row => (row.body === null ? [] : (standingOf(row) ?? [])))
  return { standing, undone: rows.filter(row => row.is_undone).map(row => row.id) }
}

function standingOf(row: { body: unknown; nodes: number[]; rest: number[] }): StandingDecision | undefined {
  const numbers = (ids: unknown[]) => ids.map(Number)
  const split = splitSchema.safeParse(row.body)
  if (split.success) {
    const { id, at } = split.data
    return { kind: 'split', id, at, out: numbers(row.nodes), rest: numbers(row.rest) }
  }
  const { id, at, nodeSeenAt, withSeenAt } = mergeSchema.parse(row.body)
  const [node, other] = [...numbers(row.nodes), ...numbers(row.rest)]
  if (node === undefined || other === undefined) return undefined
  return { kind: 'merge', id, at, node, nodeSeenAt, with: other, withSeenAt }
}

/** Writes a decision; `standing` is it by the numbers of its nodes. An undo writes its half of what it takes back. */
export async function writeDecision(
  client: Queryable,
  workspaceId: number,
  decision: Decision,
  standing: StandingDecision | undefined,
): Promise<void> {
  if (decision.kind === 'undo') {
    await client.query(
      `insert into identity.decision (workspace_id, id, undone_at, undone_by)
      values ($1, $2, $3, $4)
      on conflict (workspace_id, id) do update
        set undone_at = least(decision.undone_at, excluded.undone_at), undone_by = excluded.undone_by`,
      [workspaceId, decision.decision, instant(decision.at), decision.by],
    )
    return
  }
  const nodes = standing?.kind === 'split' ? standing.out : standing ? [standing.node] : []
  const rest = standing?.kind === 'split' ? standing.rest : standing ? [standing.with] : []
  await client.query(
    `insert into identity.decision (workspace_id, id, body, nodes, rest, at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (workspace_id, id) do update
      set body = excluded.body, nodes = excluded.nodes, rest = excluded.rest, at = excluded.at`,
    [workspaceId, decision.id, JSON.stringify(decision), nodes, rest, instant(decision.at)],
  )
}
