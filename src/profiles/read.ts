/** Reads profiles: found by any of their ids or identifiers, folded from fragments at the moment of asking. */
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { countShared, type TimelineOwner } from '../events/index.ts'
import { findProfile, type Member, membersOf, profileIdOf } from '../identity/index.ts'
import { type FoldedProfile, foldProfile } from './fold.ts'
import { groupByNode, ownedFragments } from './owned.ts'
import { readCounters, readFragments, readPolicies } from './store.ts'

/** Who somebody is: the representative's node and every identifier. */
export interface Holder {
  node: number
  /** `p_…` */
  id: string
  kind: 'person' | 'company'
  members: Member[]
}

export interface FullProfile extends FoldedProfile {
  holder: Holder
  /** Epoch ms; absent for a profile that no event has carried. */
  firstSeenAt?: number
  lastSeenAt?: number
  eventCount: number
}

type Stores = Pick<Context, 'postgres' | 'clickhouse' | 'now'>

/**
 * `reference` is a profile id (`p_…`), any id that it ever had, or `namespace:value`. Throws `not_found`.
 */
export async function findHolder(stores: Stores, workspaceId: number, reference: string): Promise<Holder> {
  const { postgres } = stores
  const node = await findProfile(stores, workspaceId, reference)
  const members = node === undefined ? [] : ((await membersOf(postgres, workspaceId, [node])).get(node) ?? [])
  const representative = members.find(member => member.node === node)
  if (!representative) {
    throw new Problem('not_found', 'There is no such profile in this workspace.', {
      hint: 'Ask by profile id (p_…) or by an identifier, as in email:ada@example.com.',
    })
  }
  return {
    node: representative.node,
    id: profileIdOf(representative.publicId),
    kind: representative.namespace === 'group_id' ? 'company' : 'person',
    members,
  }
}

export async function readProfile(stores: Stores, workspaceId: number, reference: string): Promise<FullProfile> {
  const { postgres, clickhouse } = stores
  const holder = await findHolder(stores, workspaceId, reference)
  const nodes = holder.members.map(member => member.node)
  const [fragments, counters, policies, shared] = await Promise.all([
    readFragments(postgres, workspaceId, nodes),
    readCounters(
      postgres,
      workspaceId,
      nodes.filter((_, index) => !holder.members[index]?.intervals),
    ),
    readPolicies(postgres, workspaceId),
    countShared(clickhouse, ownerOf(workspaceId, holder)),
  ])
  const folded = foldProfile(ownedFragments(holder.members, groupByNode(fragments)), policies)
  const seen = counters.map(row => ({
    events: row.events,
    firstAt: row.firstAt.getTime(),
    lastAt: row.lastAt.getTime(),
  }))
  if (shared) seen.push(shared)
  const eventCount = seen.reduce((sum, row) => sum + row.events, 0)
  if (seen.length === 0) return { ...folded, holder, eventCount }
  return {
    ...folded,
    holder,
    eventCount,
    firstSeenAt: Math.min(...seen.map(row => row.firstAt)),
    lastSeenAt: Math.max(...seen.map(row => row.lastAt)),
  }
}

/** Whose events these are, for timelines: whole identifiers, and shared devices for their times. */
export function ownerOf(workspaceId: number, holder: Holder): TimelineOwner {
  const company = holder.members.find(member => member.namespace === 'group_id')
  if (company) return { workspaceId, nodes: [], shared: [], groupId: company.value }
  const own = holder.members.filter(member => !member.intervals)
  const shared = holder.members.flatMap(({ node, intervals }) =>
    (intervals ?? []).map(interval => ({ node, ...interval })),
  )
  return { workspaceId, nodes: own.map(member => member.node), shared }
}

/** Traits alone, for lists: of profiles by their representative. */
export async function readTraits(
  { postgres }: Pick<Stores, 'postgres'>,
  workspaceId: number,
  membersOfProfile: Map<number, Member[]>,
): Promise<Map<number, FoldedProfile['traits']>> {
  const nodes = [...membersOfProfile.values()].flatMap(members => members.map(member => member.node))
  const fragments = groupByNode(await readFragments(postgres, workspaceId, [...new Set(nodes)]))
  const policies = await readPolicies(postgres, workspaceId)
  const folded = [...membersOfProfile].map(
    ([node, members]) => [node, foldProfile(ownedFragments(members, fragments), policies).traits] as const,
  )
  return new Map(folded)
}
