/** Background work of profiles: what the pipeline appended is folded into what is settled. */
import type { Context } from '../context.ts'
import { oldestNeededBlock } from '../events/index.ts'
import { profilesOfNodes } from '../identity/index.ts'
import type { Job } from '../store/jobs.ts'
import { transaction } from '../store/postgres.ts'
import { mergeFragments } from './fragment.ts'
import {
  expireOutbox,
  type FragmentRow,
  foldCounters,
  lockFragments,
  mayFold,
  takeFragmentDeltas,
  touchProfiles,
  upsertFragments,
} from './store.ts'

const SLICE_ROWS = 5_000
const EVERY_MS = 2_000
const EXPIRE_EVERY_MS = 60_000

export const profileJobs = (context: Context): Job[] => [
  { name: 'profiles.fold-counters', everyMs: EVERY_MS, run: () => settleCounters(context) },
  { name: 'profiles.fold-fragments', everyMs: EVERY_MS, run: () => settleFragments(context) },
  { name: 'profiles.expire-outbox', everyMs: EXPIRE_EVERY_MS, run: () => expire(context) },
]

/** One slice; true when there may be more. Lists learn here when people were last seen. */
export async function settleCounters({ postgres }: Pick<Context, 'postgres'>): Promise<boolean> {
  return transaction(postgres, async client => {
    if (!(await mayFold(client))) return false
    const folded = await foldCounters(client, SLICE_ROWS)
    for (const [workspaceId, rows] of Map.groupBy(folded, row => row.workspace_id)) {
      const profiles = await profilesOfNodes(
        client,
        workspaceId,
        rows.map(row => row.node),
      )
      const newest = new Map<number, Date>()
      for (const { node, last_at } of rows) {
        const profile = profiles.get(node) ?? node
        const known = newest.get(profile)
        if (!known || known < last_at) newest.set(profile, last_at)
      }
      const sorted = [...newest].sort(([a], [b]) => a - b)
      await touchProfiles(
        client,
        workspaceId,
        sorted.map(([profile]) => profile),
        sorted.map(([, at]) => at),
      )
    }
    return folded.length === SLICE_ROWS
  })
}

/** One slice; true when there may be more. */
export async function settleFragments({ postgres }: Pick<Context, 'postgres'>): Promise<boolean> {
  return transaction(postgres, async client => {
    if (!(await mayFold(client))) return false
    const deltas = await takeFragmentDeltas(client, SLICE_ROWS)
    for (const [workspaceId, rows] of Map.groupBy(deltas, row => row.workspaceId)) {
      const settled = await lockFragments(client, workspaceId, [...new Set(rows.map(row => row.node))])
      await upsertFragments(client, workspaceId, mergeRows([...settled, ...rows]))
    }
    return deltas.length === SLICE_ROWS
  })
}

/** One row a node and source. */
function mergeRows(rows: FragmentRow[]): FragmentRow[] {
  const merged = new Map<string, FragmentRow>()
  for (const row of rows) {
    const key = `${row.node} ${row.source}`
    const known = merged.get(key)
    merged.set(key, known ? { ...row, fragment: mergeFragments(known.fragment, row.fragment, row.keeping) } : row)
  }
  return [...merged.values()].sort((a, b) => a.node - b.node || (a.source < b.source ? -1 : 1))
}

/** What ClickHouse holds for good need not be told again. */
async function expire({ postgres }: Pick<Context, 'postgres'>): Promise<boolean> {
  await expireOutbox(postgres, await oldestNeededBlock(postgres))
  return false
}
