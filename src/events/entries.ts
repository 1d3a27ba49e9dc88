/** A batch of log groups comes in; its entries go out in order, each with its place, without those set aside. Pure. */
import type { LogEntry } from '../spec/event.ts'
import type { CommittedGroup } from './commit.ts'

export interface LoggedEntry {
  entry: LogEntry
  line: string
  lane: number
  pos: number
  ix: number
}

/** By workspace, in ascending order of its number. */
export function entriesByWorkspace(
  groups: CommittedGroup[],
  excluded: ReadonlySet<string>,
): [workspaceId: number, entries: LoggedEntry[]][] {
  const byWorkspace = new Map<number, LoggedEntry[]>()
  for (const group of groups) {
    const entries = byWorkspace.get(group.workspaceId) ?? []
    byWorkspace.set(group.workspaceId, entries)
    for (const [ix, entry] of group.events.entries()) {
      if (excluded.has(entry.messageId)) continue
      entries.push({ entry, line: group.lines[ix] as string, lane: group.lane, pos: group.pos, ix })
    }
  }
  return [...byWorkspace].sort(([a], [b]) => a - b)
}
