/** The pipeline's third stage: what events said is appended per identifier, and the people it changes are folded anew. */
import type { Member } from '../identity/index.ts'
import type { Identifier } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { type Deltas, deltasOf, type UnifiedEvent } from './deltas.ts'
import { type FoldedProfile, foldProfile, type OwnedFragment, type TraitPolicies } from './fold.ts'
import { mergeFragments } from './fragment.ts'
import { listRowOf } from './list-row.ts'
import {
  appendCounters,
  appendFragments,
  type CounterRow,
  deleteProfiles,
  type FragmentRow,
  type ProfileRow,
  readCounters,
  readFragments,
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

/** Appends what the events assert. Commutative: no read, no lock, whatever else is going on. */
export async function append(
  client: Queryable,
  workspaceId: number,
  block: number,
  events: UnifiedEvent[],
): Promise<Deltas> {
  const deltas = deltasOf(events)
  await appendFragments(client, workspaceId, block, deltas.fragments)
  await appendCounters(client, workspaceId, block, deltas.counters)
  return deltas
}

/** Who is to be folded: each profile with its identifiers, as identity knows them now. */
export interface Composition {
  node: number
  kind: 'person' | 'company'
  publicId: string
  members: Member[]
}

/**
 * Folds profiles anew and writes the rows that lists show; `gone` are nodes that no longer stand for a profile.
 * Returns what ClickHouse must learn.
 */
export async function refresh(
  client: Queryable,
  workspaceId: number,
  compositions: Composition[],
  gone: number[],
  policies: TraitPolicies,
): Promise<UnifiedProfile[]> {
  const nodes = [...new Set(compositions.flatMap(composition => composition.members.map(member => member.node)))]
  const fragments = groupByNode(await readFragments(client, workspaceId, nodes))
  const counters = new Map((await readCounters(client, workspaceId, nodes)).map(row => [row.node, row]))
  const rows: ProfileRow[] = []
  const unified: UnifiedProfile[] = []
  for (const composition of compositions) {
    const folded = foldProfile(ownedFragments(composition.members, fragments), policies)
    const row = profileRowOf(composition, folded, counters)
    rows.push(row)
    const { node, kind } = composition
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
  await deleteProfiles(client, workspaceId, gone)
  for (const node of gone) unified.push({ workspaceId, node, kind: 'person', traits: {}, firstSeenAt: 0, isGone: true })
  return unified
}

export function groupByNode(rows: FragmentRow[]): Map<number, FragmentRow[]> {
  const byNode = new Map<number, FragmentRow[]>()
  for (const row of rows) {
    const known = byNode.get(row.node) ?? []
    const same = known.find(other => other.source === row.source)
    if (same) same.fragment = mergeFragments(same.fragment, row.fragment, same.keeping)
    else known.push({ ...row })
    byNode.set(row.node, known)
  }
  return byNode
}

/** A shared device's assertions count for the owner of their time only. */
export function ownedFragments(members: Member[], fragments: Map<number, FragmentRow[]>): OwnedFragment[] {
  return members.flatMap(member =>
    (fragments.get(member.node) ?? []).map(({ source, fragment }) =>
      member.intervals ? { source, fragment, intervals: member.intervals } : { source, fragment },
    ),
  )
}

function profileRowOf(composition: Composition, folded: FoldedProfile, counters: Map<number, CounterRow>): ProfileRow {
  const seen = composition.members.map(member => counters.get(member.node)).filter(row => row !== undefined)
  const firsts = [
    ...seen.map(row => row.firstAt.getTime()),
    ...composition.members.map(member => member.firstSeenAt),
  ].filter(Number.isFinite)
  const lasts = [...seen.map(row => row.lastAt.getTime()), ...firsts]
  const identifiers: Identifier[] = composition.members.map(({ namespace, value }) => ({ namespace, value }))
  return {
    node: composition.node,
    kind: composition.kind,
    publicId: composition.publicId,
    ...listRowOf(folded.traits, identifiers),
    firstSeenAt: new Date(Math.min(...firsts)),
    lastSeenAt: new Date(Math.max(...lasts)),
  }
}
