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
    for (const entry of entriesOf(group, messageId => excluded.has(messageId))) entries.push(entry)
  }
  return [...byWorkspace].sort(([a], [b]) => a - b)
}

/** The entries of one group, without those that are left out. */
export function entriesOf(
  { events, lines, lane, pos }: CommittedGroup,
  isLeftOut: (messageId: string) => boolean,
): LoggedEntry[] {
  return events.flatMap((entry, ix) =>
    isLeftOut(entry.messageId) ? [] : { entry, line: lines[ix] as string, lane, pos, ix },
  )
}
