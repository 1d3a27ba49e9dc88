/** Rows of fragments come in; what counts for one profile goes out. Pure. */
import type { Member } from '../identity/index.ts'
import type { OwnedFragment } from './fold.ts'
import { mergeFragments } from './fragment.ts'
import type { FragmentRow } from './store.ts'

/** One fragment a node and source, whatever was appended since it was settled. */
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
