/** Background work of imports: those that wait are run, one at a time, and their files are removed after their time. */
import type { Context } from '../context.ts'
import type { Job } from '../store/jobs.ts'
import { listFolders, removeAll, removeFile } from './files.ts'
import { runImport } from './run.ts'
import { claimImport, expiredImports, markFileRemoved, unknownImports } from './store.ts'

const LOOK_EVERY_MS = 500
const EXPIRE_EVERY_MS = 10 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
/** The file of an import that is done is kept for so long; of any other, and the rejected rows, for so long. */
const DONE_DAYS = 7
const UNTOUCHED_DAYS = 90

/** The files lie with the process that received them: only it can run them. */
export const importJobs = (context: Context): Job[] => [
  { name: 'imports.run', everyMs: LOOK_EVERY_MS, run: signal => runNext(context, signal) },
  { name: 'imports.expire-files', everyMs: EXPIRE_EVERY_MS, run: () => expireFiles(context) },
]

async function runNext(context: Context, signal: AbortSignal): Promise<boolean> {
  const ids = await listFolders(context)
  if (ids.length === 0 || signal.aborted) return false
  const row = await claimImport(context.postgres, ids, new Date(context.now()))
  if (!row) return false
  await runImport(context, row, signal)
  return true
}

async function expireFiles(context: Context): Promise<boolean> {
  const { postgres } = context
  const ids = await listFolders(context)
  if (ids.length === 0) return false
  for (const id of await unknownImports(postgres, ids)) await removeAll(context, id)
  const daysAgo = (days: number) => new Date(context.now() - days * DAY_MS)
  const untouched = daysAgo(UNTOUCHED_DAYS)
  const expired = await expiredImports(postgres, ids, { done: daysAgo(DONE_DAYS), untouched })
  for (const { workspaceId, id, isUntouched } of expired) {
    if ((await markFileRemoved(postgres, workspaceId, id)) === 0) continue
    await (isUntouched ? removeAll(context, id) : removeFile(context, id))
  }
  return false
}
