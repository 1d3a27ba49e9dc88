/** SQL of who is who now: in, nodes or profiles; out, the profiles they lead to, or the identifiers they consist of. */
import type { IdentityRules } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { all } from '../store/query.ts'
import type { PlannedIdentifier } from './decision.ts'
import type { CurrentIdentifier } from './evaluate.ts'
import { type NodeId, nobody } from './evidence.ts'
import { isSeen } from './graph.ts'
import type { MapChange } from './project.ts'
import { readNodes, readOwners, type StoredNode } from './store.ts'
import { readRules } from './store-rules.ts'

const identifiersPerPage = 5_000

/** An identifier of a profile. */
export interface Member extends PlannedIdentifier {
  node: NodeId
  /** UUID; as `profileIdOf` of it, also the id of the profile that this identifier represents. */
  publicId: string
  /** A shared device: when it belonged to this profile, [from, to) in ms. */
  intervals?: { from: number; to: number }[]
}

/**
 * The profile that each of these nodes leads to now: of a shared device its owner when it was first seen. Unknown
 * nodes are left out.
 */
export async function profilesOfNodes(
  client: Queryable,
  workspaceId: number,
  nodes: NodeId[],
): Promise<Map<NodeId, NodeId>> {
  const { rows } = await client.query<{ id: number; profile: number }>({
    name: 'identity-profiles-of-nodes',
    text: `
      select node.id, coalesce(owner.profile, node.profile) as profile
      from identity.node
      left join identity.owner
        on node.profile = 0 and owner.workspace_id = node.workspace_id and owner.node = node.id
        and owner.from_at <= node.first_seen_at and node.first_seen_at < owner.to_at
      where node.workspace_id = $1 and node.id = any($2::bigint[])`,
    values: [workspaceId, nodes],
  })
  return new Map(rows.map(row => [row.id, row.profile]))
}

/** The identifiers of these profiles in order of priority. A profile that has ended has none. */
export async function membersOf(
  client: Queryable,
  workspaceId: number,
  profiles: NodeId[],
): Promise<Map<NodeId, Member[]>> {
  const rules = await readRules(client, workspaceId)
  const { rows } = await client.query<MemberRow>({
    name: 'identity-members',
    text: memberQuery,
    values: [workspaceId, profiles],
  })
  const members = new Map<NodeId, Member[]>()
  for (const row of rows) {
    const known = members.get(row.of_profile) ?? []
    members.set(row.of_profile, known)
    const same = known.find(member => member.node === row.id)
    const interval = row.from_at && row.to_at && { from: row.from_at.getTime(), to: row.to_at.getTime() }
    if (same && interval) same.intervals?.push(interval)
    else known.push(memberOf(row, rules, interval ? [interval] : undefined))
  }
  const priorityOf = (member: Member) => rules.namespaces[member.namespace]?.priority ?? Number.POSITIVE_INFINITY
  for (const known of members.values()) {
    known.sort((x, y) => priorityOf(x) - priorityOf(y) || x.firstSeenAt - y.firstSeenAt || (x.value < y.value ? -1 : 1))
  }
  return members
}

interface MemberRow {
  of_profile: number
  id: number
  namespace: string
  value: string
  public_id: string
  first_seen_at: Date
  from_at: Date | null
  to_at: Date | null
}

const memberQuery = `
  select profile as of_profile, id, namespace, value, public_id, first_seen_at,
    null::timestamptz as from_at, null::timestamptz as to_at
  from identity.node
  where workspace_id = $1 and id = any($2::bigint[]) and profile = id and first_seen_at is not null
  union all
  select profile, id, namespace, value, public_id, first_seen_at, null, null
  from identity.node
  where workspace_id = $1 and profile = any($2::bigint[]) and profile <> id and first_seen_at is not null
  union all
  select owner.profile, node.id, node.namespace, node.value, node.public_id, node.first_seen_at,
    owner.from_at, owner.to_at
  from identity.owner
  join identity.node on node.workspace_id = owner.workspace_id and node.id = owner.node
  where owner.workspace_id = $1 and owner.profile = any($2::bigint[]) and node.first_seen_at is not null
  order by of_profile, id, from_at`

function memberOf(row: MemberRow, rules: IdentityRules, intervals: Member['intervals']): Member {
  const { id: node, namespace, value, public_id: publicId } = row
  const member = { node, namespace, value, publicId, firstSeenAt: row.first_seen_at.getTime() }
  const known = { ...member, class: rules.namespaces[namespace]?.class ?? ('none' as const) }
  return intervals ? { ...known, intervals } : known
}

/** What these nodes lead to now, in the form in which the map learns of changes. */
export async function readMap(client: Queryable, workspaceId: number, nodes: NodeId[]): Promise<MapChange[]> {
  const owners = Map.groupBy(await readOwners(client, workspaceId, nodes), owner => owner.node)
  return (await readNodes(client, workspaceId, nodes)).map(({ id, profile }) => ({
    node: id,
    profile,
    owners: profile === nobody ? (owners.get(id) ?? []).map(intervalOf).sort((x, y) => x.from - y.from) : [],
  }))
}

const intervalOf = ({ from, to, profile }: MapChange['owners'][number]) => ({ from, to, profile })

/** Nodes in order of number, a page at a time. */
export async function readNodePage(
  client: Queryable,
  workspaceId: number,
  after: NodeId,
  limit: number,
): Promise<StoredNode[]> {
  const rows = await all<{ id: number }>(
    client,
    `select id
    from identity.node
    where workspace_id = $1 and id > $2
    order by id
    limit $3`,
    [workspaceId, after, limit],
  )
  return readNodes(
    client,
    workspaceId,
    rows.map(row => row.id),
  )
}

/** The profile that a node leads to, by its public id (a UUID). */
export async function readProfileOf(
  client: Queryable,
  workspaceId: number,
  publicId: string,
): Promise<NodeId | undefined> {
  const result = await client.query<{ profile: NodeId | null }>({
    name: 'identity-profile-of',
    text: `
      select case when profile <> 0 then profile else (
        select owner.profile from identity.owner
        where owner.workspace_id = $1 and owner.node = node.id
          and from_at <= first_seen_at and first_seen_at < to_at
        order by from_at
        limit 1
      ) end as profile
      from identity.node
      where workspace_id = $1 and public_id = $2`,
    values: [workspaceId, publicId],
  })
  return result.rows[0]?.profile ?? undefined
}

/** Every identifier of a person with the profile it leads to now, a page at a time. */
export async function* currentIdentifiers(client: Queryable, workspaceId: number): AsyncGenerator<CurrentIdentifier[]> {
  const rules = await readRules(client, workspaceId)
  for (let after = nobody; ; ) {
    const page = await readNodePage(client, workspaceId, after, identifiersPerPage)
    const last = page.at(-1)
    if (!last) return
    after = last.id
    const seen = page.filter(node => isSeen(node) && rules.namespaces[node.namespace]?.class !== 'none')
    const profiles = await profilesOfNodes(
      client,
      workspaceId,
      seen.map(node => node.id),
    )
    yield seen.map(({ id, namespace, value }) => ({ namespace, value, profile: profiles.get(id) ?? id }))
  }
}
