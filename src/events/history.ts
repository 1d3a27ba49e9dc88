/**
 * Everything that happened to a workspace, from the beginning: archived days and the log, up to what the pipeline has
 * processed. In: a workspace. Out: its entries in order, as often as they are asked for, always ending at the same place.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { LogEntry } from '../spec/event.ts'
import type { Connection } from '../store/postgres.ts'
import { type ArchiveFile, archiveFolder, listArchive, readDay } from './archive.ts'
import type { CommittedGroup } from './commit.ts'
import { whileHoldingDays } from './days.ts'
import { entriesOf, type LoggedEntry } from './entries.ts'
import { countLogged, type LogExtent, readLogOf, readSetAside } from './store-history.ts'
import { type LaneRange, readCursor } from './store-pipeline.ts'
import { decodeRow } from './take.ts'

/** Entries given at once unless asked otherwise; some 10 MB. */
const BATCH_ENTRIES = 5_000
const RETRY_SECONDS = 30

export interface History {
  /** Entries to come, decisions and what was set aside among them. */
  size: number
  /** All of them from the beginning, so many at a time (the last batch excepted); without what was set aside. */
  batches(entries?: number): AsyncGenerator<LoggedEntry[]>
}

interface Extent extends LogExtent {
  archived: ArchiveFile[]
  isSetAside(group: CommittedGroup, messageId: string): boolean
}

/**
 * Days neither move to the archive nor back while `work` lasts. Throws `unavailable` while they do, ArchiveDamaged when
 * a file is not what it was.
 */
export async function withHistory<T>(
  { postgres, config }: Pick<Context, 'postgres' | 'config'>,
  workspaceId: number,
  work: (history: History) => Promise<T>,
): Promise<T> {
  const held = await whileHoldingDays(postgres, 'shared', async client => {
    const files = await listArchive(archiveFolder(config.dataDir))
    const archived = files.filter(file => file.manifest.workspaceId === workspaceId)
    const archivedDays = archived.map(({ manifest }) => manifest.day)
    const isSetAside = await setAsideIn(client)
    const extent = { workspaceId, cursor: await readCursor(client), archivedDays, archived, isSetAside }
    const logged = await countLogged(client, extent)
    const size = archived.reduce((sum, { manifest }) => sum + manifest.events, logged)
    return work({ size, batches: (entries = BATCH_ENTRIES) => batchesOf(client, extent, entries) })
  })
  if (held) return held.result
  throw new Problem('unavailable', 'Days of the log are just moving to the archive.', {
    hint: 'Ask again in a minute.',
    retryAfterSeconds: RETRY_SECONDS,
  })
}

async function* batchesOf(client: Connection, extent: Extent, entries: number): AsyncGenerator<LoggedEntry[]> {
  const ahead: LoggedEntry[] = []
  for await (const group of groupsOf(client, extent, entries)) {
    ahead.push(...entriesOf(group, messageId => extent.isSetAside(group, messageId)))
    while (ahead.length >= entries) {
      yield ahead.splice(0, entries)
      // Whole files can be in memory already: requests get their turn all the same.
      await breathe()
    }
  }
  if (ahead.length > 0) yield ahead
}

async function* groupsOf(client: Connection, extent: Extent, eventsMax: number): AsyncGenerator<CommittedGroup> {
  const { workspaceId, cursor, archived } = extent
  for (const file of archived) {
    for await (const { lane, pos, lines } of readDay(file)) {
      yield { workspaceId, lane, pos, events: lines.map(line => JSON.parse(line) as LogEntry), lines }
    }
  }
  for (const [lane, to] of cursor) {
    for (let from = 0; ; ) {
      const rows = await readLogOf(client, extent, { lane, from, to }, eventsMax)
      const last = rows.at(-1)
      if (!last) break
      yield* await Promise.all(rows.map(decodeRow))
      from = last.pos + 1
    }
  }
}

async function setAsideIn(client: Connection): Promise<Extent['isSetAside']> {
  const lists = (await readSetAside(client)).map(({ ranges, excluded }) => ({ ranges, excluded: new Set(excluded) }))
  const holds = (ranges: LaneRange[], { lane, pos }: CommittedGroup) =>
    ranges.some(range => range.lane === lane && range.from <= pos && pos <= range.to)
  return (group, messageId) => lists.some(({ ranges, excluded }) => excluded.has(messageId) && holds(ranges, group))
}
