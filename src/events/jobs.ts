/** Background work of events: what is old moves to the archive or expires. */
import type { Context } from '../context.ts'
import type { Job } from '../store/jobs.ts'
import { archiveFolder, archiveOldestDay, expireArchive } from './archive.ts'
import { dropMonths } from './project.ts'
import { compactAccounting, expireBlocks, expireMessages, expireRejections } from './store-archive.ts'
import { isRebuilding } from './store-rebuild.ts'

/** Duplicates are recognised for so long. A day more than promised, because days are whole. */
const DEDUPE_DAYS = 31
const REJECTIONS_DAYS = 90
/** The log stays in PostgreSQL for so long, then goes to the archive. */
const LOG_DAYS = 7
const ACCOUNTING_MINUTES_DAYS = 7
const BLOCKS_DAYS = 1

const SLICE_ROWS = 10_000
const EVERY_MS = 10 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000

export function eventJobs(context: Context): Job[] {
  const { postgres, config } = context
  const daysAgo = (days: number) => new Date(context.now() - days * DAY_MS)
  const dayOf = (date: Date) => date.toISOString().slice(0, 10)
  const slices = (name: string, run: () => Promise<number>): Job => ({
    name,
    everyMs: EVERY_MS,
    run: async () => (await run()) === SLICE_ROWS,
  })
  return [
    ...retentionJobs(context),
    slices('events.expire-messages', () => expireMessages(postgres, dayOf(daysAgo(DEDUPE_DAYS)), SLICE_ROWS)),
    slices('events.expire-rejections', () => expireRejections(postgres, daysAgo(REJECTIONS_DAYS), SLICE_ROWS)),
    slices('events.compact-accounting', () =>
      compactAccounting(postgres, daysAgo(ACCOUNTING_MINUTES_DAYS), SLICE_ROWS),
    ),
    {
      name: 'events.archive',
      everyMs: EVERY_MS,
      async run() {
        await expireBlocks(postgres, daysAgo(BLOCKS_DAYS))
        // A rebuild needs the days that it has brought back.
        if (await isRebuilding(postgres)) return false
        return (await archiveOldestDay(postgres, archiveFolder(config.dataDir), dayOf(daysAgo(LOG_DAYS)))) !== undefined
      },
    },
  ]
}

/** Both by whole months: of event time in ClickHouse, of arrival in the archive. People and their traits stay. */
function retentionJobs({ config, clickhouse, now }: Context): Job[] {
  const { retentionMonths } = config
  if (retentionMonths === undefined) return []
  const run = async () => {
    const at = new Date(now())
    const before = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - retentionMonths)
    await dropMonths(clickhouse, before)
    await expireArchive(archiveFolder(config.dataDir), new Date(before).toISOString().slice(0, 10))
    return false
  }
  return [{ name: 'events.retention', everyMs: EVERY_MS, run }]
}
