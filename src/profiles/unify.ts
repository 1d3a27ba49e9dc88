/** The pipeline's third stage: what events said is appended per identifier, and the people it changes are folded anew. */
import { type Member, membersOf } from '../identity/index.ts'
import type { Identifier } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { deltasOf, type UnifiedEvent } from './deltas.ts'
import { type FoldedProfile, foldProfile } from './fold.ts'
import { listRowOf } from './list-row.ts'
import { groupByNode, ownedFragments } from './owned.ts'
import {
  appendCounters,
  appendFragments,
  type CounterRow,
  deleteProfiles,
  insertOutbox,
  type ProfileRow,
  readCounters,
  readFragments,
  readOutbox,
  readPolicies,
  upsertProfiles,
} from './store.ts'

/** A profile after the fold, as ClickHouse gets it. */
export interface UnifiedProfile {
  workspaceId: number
  node: number
  kind: 'person' | 'company'
  traits: FoldedProfile['traits']
  /** Epoch ms. */
  firstSeenAt: number
  isGone: boolean
}

export interface UnifyBatch {
  workspaceId: number
  block: number
  events: UnifiedEvent[]
  /** Nodes that lead to another person than before. */
  changedNodes: number[]
  /** Profiles that gained or lost identifiers. */
  changedProfiles: Iterable<number>
}

/** Writes what a batch says about people and companies; returns what ClickHouse must learn of them. */
export async function unify(client: Queryable, batch: UnifyBatch): Promise<UnifiedProfile[]> {
  const { workspaceId, block } = batch
  await appendSaid(client, batch)
  const profiles = new Set(batch.changedProfiles)
  for (const event of batch.events) {
    if (event.event.type === 'group') profiles.add(event.group)
    if (saysSomething(event)) profiles.add(event.profile)
  }
  profiles.delete(0)
  const sorted = [...profiles].sort((a, b) => a - b)
  await insertOutbox(client, block, workspaceId, 'map', batch.changedNodes)
  await insertOutbox(client, block, workspaceId, 'profile', sorted)
  return refresh(client, workspaceId, sorted)
}

/** Only what events said: whom that changes is told later, by an `unify` without events. */
export async function appendSaid(
  client: Queryable,
  { workspaceId, block, events }: Pick<UnifyBatch, 'workspaceId' | 'block' | 'events'>,
): Promise<void> {
  const deltas = deltasOf(events)
  await appendFragments(client, workspaceId, block, deltas.fragments)
  await appendCounters(client, workspaceId, block, deltas.counters)
}

/** After a crash: what the block changed, as it stands now, for ClickHouse to learn once more. */
export async function unifyAgain(
  client: Queryable,
  workspaceId: number,
  block: number,
): Promise<{ changedNodes: number[]; profiles: UnifiedProfile[] }> {
  const outbox = await readOutbox(client, block, workspaceId)
  const nodesOf = (kind: 'map' | 'profile') => outbox.filter(row => row.kind === kind).map(row => row.node)
  return { changedNodes: nodesOf('map'), profiles: await refresh(client, workspaceId, nodesOf('profile')) }
}

/** Folds profiles anew and writes the rows that lists show. Profiles without members are gone. */
async function refresh(client: Queryable, workspaceId: number, profiles: number[]): Promise<UnifiedProfile[]> {
  if (profiles.length === 0) return []
  const membersOfProfile = await membersOf(client, workspaceId, profiles)
  const nodes = [...new Set([...membersOfProfile.values()].flatMap(members => members.map(member => member.node)))]
  const fragments = groupByNode(await readFragments(client, workspaceId, nodes))
  const counters = new Map((await readCounters(client, workspaceId, nodes)).map(row => [row.node, row]))
  const policies = await readPolicies(client, workspaceId)
  const rows: ProfileRow[] = []
  const unified: UnifiedProfile[] = []
  for (const node of profiles) {
    const members = membersOfProfile.get(node) ?? []
    const [representative] = members.filter(member => member.node === node)
    if (!representative) {
      unified.push({ workspaceId, node, kind: 'person', traits: {}, firstSeenAt: 0, isGone: true })
      continue
    }
    const kind = representative.namespace === 'group_id' ? 'company' : 'person'
    const folded = foldProfile(ownedFragments(members, fragments), policies)
    const row = profileRowOf(representative, kind, members, folded, counters)
    rows.push(row)
    unified.push({
      workspaceId,
      node,
      kind,
      traits: folded.traits,
      firstSeenAt: row.firstSeenAt.getTime(),
      isGone: false,
    })
  }
  await upsertProfiles(client, workspaceId, rows)
  await deleteProfiles(
    client,
    workspaceId,
    unified.filter(profile => profile.isGone).map(profile => profile.node),
  )
  return unified
}

function profileRowOf(
  representative: Member,
  kind: 'person' | 'company',
  members: Member[],
  folded: FoldedProfile,
  counters: Map<number, CounterRow>,
): ProfileRow {
  // A shared device's counts are not this person's alone; the rest of the identifiers tell when somebody was seen.
  const seen = members.filter(member => !member.intervals).flatMap(member => counters.get(member.node) ?? [])
  const firsts = [...seen.map(row => row.firstAt.getTime()), ...members.map(member => member.firstSeenAt)].filter(
    Number.isFinite,
  )
  const lasts = [...seen.map(row => row.lastAt.getTime()), ...firsts]
  const identifiers: Identifier[] = members.map(({ namespace, value }) => ({ namespace, value }))
  return {
    node: representative.node,
    kind,
    publicId: representative.publicId,
    ...listRowOf(folded.traits, identifiers),
    firstSeenAt: new Date(Math.min(...firsts)),
    lastSeenAt: new Date(Math.max(...lasts)),
  }
}

const saysSomething = ({ event, hub }: UnifiedEvent) =>
  hub !== 0 && (event.type === 'identify' || (event.traits !== undefined && event.type !== 'group'))
