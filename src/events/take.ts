/** The pipeline's hand: takes the next groups of every lane, from memory where they were just committed, else from the log. */
import type { LogEntry } from '../spec/event.ts'
import type { Postgres } from '../store/postgres.ts'
import type { CommittedGroup } from './commit.ts'
import { decodeGroup } from './log-group.ts'
import { findBehind, type LaneRange, type LogRow, readCursor, readLog } from './store-pipeline.ts'

export interface Taken {
  groups: CommittedGroup[]
  /** What the groups span, lane by lane: what a repeated block reads again. */
  ranges: LaneRange[]
}

export interface Taker {
  /** The next groups, up to about `eventsMax` events; undefined when there is nothing new. */
  next(eventsMax: number): Promise<Taken | undefined>
  /** Groups as they are committed in this process, so that they need not be read back. */
  offer(groups: CommittedGroup[]): void
  /** Forgets how far it got: the next call starts from the committed cursor. */
  reset(): void
}

/** Memory held for groups that the pipeline has not reached; beyond it they are read from the log after all. */
const OFFERED_EVENTS_MAX = 60_000

export function openTaker(postgres: Postgres): Taker {
  let cursor: Map<number, number> | undefined
  let offered: CommittedGroup[] = []
  let offeredEvents = 0

  /** Groups in memory count only where they continue the lane without a gap. */
  function fromMemory(cursor: Map<number, number>, eventsMax: number, taken: CommittedGroup[]): number {
    let events = 0
    let used = 0
    for (const group of offered) {
      if (events >= eventsMax) break
      used += 1
      const at = cursor.get(group.lane) ?? 0
      if (group.pos !== at + 1) continue
      cursor.set(group.lane, group.pos)
      taken.push(group)
      events += group.events.length
    }
    for (const group of offered.splice(0, used)) offeredEvents -= group.events.length
    return events
  }

  async function fromLog(cursor: Map<number, number>, eventsMax: number, taken: CommittedGroup[]): Promise<void> {
    let events = 0
    for (const { lane } of await findBehind(postgres, cursor)) {
      if (events >= eventsMax) return
      const rows = await readLog(postgres, { lane, from: (cursor.get(lane) ?? 0) + 1, to: null }, eventsMax - events)
      for (const group of await Promise.all(rows.map(decodeRow))) {
        taken.push(group)
        events += group.events.length
        cursor.set(lane, group.pos)
      }
    }
  }

  return {
    async next(eventsMax) {
      cursor ??= await readCursor(postgres)
      const before = new Map(cursor)
      const groups: CommittedGroup[] = []
      if (fromMemory(cursor, eventsMax, groups) === 0) await fromLog(cursor, eventsMax, groups)
      return groups.length === 0 ? undefined : { groups, ranges: rangesOf(before, cursor) }
    },
    offer(groups) {
      for (const group of groups) {
        if (offeredEvents > OFFERED_EVENTS_MAX) return
        offered.push(group)
        offeredEvents += group.events.length
      }
    },
    reset() {
      cursor = undefined
      offered = []
      offeredEvents = 0
    },
  }
}

function rangesOf(before: Map<number, number>, after: Map<number, number>): LaneRange[] {
  const ranges = [...after].map(([lane, to]) => ({ lane, from: (before.get(lane) ?? 0) + 1, to }))
  return ranges.filter(({ from, to }) => to >= from).sort((a, b) => a.lane - b.lane)
}

/** Reads whole ranges of the log again, in the order in which they were taken first. */
export async function readRanges(postgres: Postgres, ranges: LaneRange[]): Promise<CommittedGroup[]> {
  const groups: CommittedGroup[] = []
  for (const range of ranges) {
    const rows = await readLog(postgres, range, Number.MAX_SAFE_INTEGER)
    groups.push(...(await Promise.all(rows.map(decodeRow))))
  }
  return groups
}

export async function decodeRow(row: LogRow): Promise<CommittedGroup> {
  const lines = await decodeGroup(row.body)
  const events = lines.map(line => JSON.parse(line) as LogEntry)
  return { workspaceId: row.workspace_id, lane: row.lane, pos: row.pos, events, lines }
}
