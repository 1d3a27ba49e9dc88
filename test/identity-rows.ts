/** All rows of a workspace's identity as one graph, to compare with a rebuild. */
import type { Refusal } from '../src/identity/components.ts'
import type { EvidenceGraph } from '../src/identity/graph.ts'
import { openGraph } from '../src/identity/resolve.ts'
import { loadEvidence } from '../src/identity/store.ts'
import type { IdentityRules } from '../src/spec/identifier.ts'
import type { Postgres } from '../src/store/postgres.ts'
import { all } from '../src/store/query.ts'

interface RefusalRow {
  u: number
  v: number
  kind: Refusal['kind']
  a: number
  b: number
  rule: Refusal['rule']
  namespace: string | null
  at: Date
  message_id: string
  source: string
  strength: Refusal['strength']
}

export async function readWhole(
  pool: Postgres,
  workspaceId: number,
  rules: IdentityRules,
): Promise<{ graph: EvidenceGraph; refusals: Refusal[] }> {
  const graph = await openGraph(pool, workspaceId, rules)
  const ids = await all<{ id: number }>(pool, 'select id from identity.node where workspace_id = $1', [workspaceId])
  const nodes = ids.map(row => row.id)
  graph.fill(nodes, await loadEvidence(pool, workspaceId, nodes))
  const rows = await all<RefusalRow>(
    pool,
    `select u, v, kind, a, b, rule, namespace, at, message_id, source, strength
    from identity.refusal where workspace_id = $1`,
    [workspaceId],
  )
  const refusals = rows.map(({ at, message_id, namespace, ...row }) => ({
    ...row,
    at: at.getTime(),
    messageId: message_id,
    ...(namespace === null ? {} : { namespace }),
  }))
  return { graph, refusals }
}
