/** Everything that a workspace says about who is who, to compare one state of it with another, or two workspaces. */
import { personOf } from '../src/identity/index.ts'
import type { Workspace } from './workspace.ts'
import type { World } from './world.ts'

interface Profile {
  id: string
  identifiers: { namespace: string; value: string }[]
}
interface Explanation {
  links: object[]
  refusals: object[]
}

/** Every person and company, by their identifiers: profile, timeline, and why. Without ids, two workspaces can be equal. */
export async function stateOf(workspace: Workspace, options: { withIds: boolean }): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = {}
  for (const kind of ['profiles', 'companies']) {
    const { data } = await workspace.get<{ data: Profile[] }>(`/api/v1/${kind}?limit=200`)
    for (const { id } of data) {
      const { id: _id, ...profile } = await workspace.get<Profile>(`/api/v1/profiles/${id}`)
      const events = await workspace.get<{ data: { messageId: string }[] }>(`/api/v1/profiles/${id}/events?limit=200`)
      const { links, refusals } = await workspace.get<Explanation>(`/api/v1/profiles/${id}/identity`)
      const key = `${kind} ${profile.identifiers.map(keyOf).sort().join(' ')}`
      if (key in state) throw new Error(`${key} is there twice`)
      state[key] = {
        ...(options.withIds ? { id } : {}),
        profile,
        events: events.data.map(event => event.messageId),
        why: [...links, ...refusals].map(one => JSON.stringify(one)).sort(),
      }
    }
  }
  return state
}

const keyOf = ({ namespace, value }: { namespace: string; value: string }) => `${namespace}:${value}`

/** For each event the person that ClickHouse gives it and the one whose timeline holds it: they must be the same. */
export async function personsOf(
  world: World,
  workspace: Workspace,
): Promise<{ inClickHouse: string[]; inTimelines: string[] }> {
  const { clickhouse, postgres } = world.running.context
  const rows = await clickhouse.query<{ message: string; person: number }>(
    `select message_id as message, ${personOf('node', 'timestamp')} as person from events where workspace_id = {id:UInt32}`,
    { id: workspace.id },
  )
  const nodes = await postgres.query<{ id: number; key: string }>(
    `select id, namespace || ':' || value as key from identity.node where workspace_id = $1`,
    [workspace.id],
  )
  const keyOfNode = new Map(nodes.rows.map(node => [node.id, node.key]))
  // Events without an identifier are nobody's.
  const owned = rows.filter(row => row.person !== 0)
  const inTimelines: string[] = []
  for (const key of new Set(owned.map(row => keyOfNode.get(row.person) ?? 'unknown'))) {
    const path = `/api/v1/profiles/${encodeURIComponent(key)}/events?limit=200`
    const { data } = await workspace.get<{ data: { messageId: string }[] }>(path)
    inTimelines.push(...data.map(event => `${event.messageId} ${key}`))
  }
  return {
    inClickHouse: owned.map(row => `${row.message} ${keyOfNode.get(row.person)}`).sort(),
    inTimelines: inTimelines.sort(),
  }
}
