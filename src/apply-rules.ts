/**
 * Changed rules of identity are put in force by applying them to everything that ever happened. In: an application that
 * somebody asked for. Out: a workspace as if it had always had these rules.
 *
 * It is done between two blocks. Events go on being accepted, and everybody reads the old state until one transaction
 * changes PostgreSQL (`rewrite-workspace.ts`); then ClickHouse is told. Cut off before the commit, all of it is begun
 * anew; cut off after, only the telling is repeated.
 */
import type { Context } from './context.ts'
import { Problem } from './errors.ts'
import { ArchiveDamaged, type Interlude, LeaseLost, moveEvents, type Standstill } from './events/index.ts'
import {
  type ApplicationFailure,
  beginApplication,
  endApplication,
  failApplication,
  findUnfinishedApplication,
  forgetWorkspaces,
  insertMap,
  postponeApplication,
  readMap,
  settleMap,
  TooManyIdentifiers,
  type UnfinishedApplication,
} from './identity/index.ts'
import { projectProfiles, unifyAgain } from './profiles/index.ts'
import { rewriteWorkspace } from './rewrite-workspace.ts'
import { isTransient, transaction } from './store/postgres.ts'

/** What ends the process each time it is tried must end by itself. */
const ATTEMPTS_MAX = 5

/** `tell` goes before anything else that happens between blocks. */
export function rulesInterludes(context: Context): { tell: Interlude; apply: Interlude } {
  const { postgres } = context
  return {
    async tell() {
      const application = await findUnfinishedApplication(postgres, ['projecting'])
      return application && (() => tell(context, application))
    },
    async apply() {
      const application = await findUnfinishedApplication(postgres, ['pending', 'running'])
      return application && (standstill => apply(context, application, standstill))
    },
  }
}

async function apply(context: Context, application: UnfinishedApplication, standstill: Standstill): Promise<void> {
  const { postgres, log, now } = context
  const { id } = application
  const fail = (failure: ApplicationFailure) => failApplication(postgres, id, failure, new Date(now()))
  if (application.attempts >= ATTEMPTS_MAX) return fail('interrupted')
  await beginApplication(postgres, id, new Date(now()))
  try {
    await rewriteWorkspace(context, application, standstill)
  } catch (error) {
    if (standstill.signal.aborted || error instanceof LeaseLost || isTransient(error)) {
      await postponeApplication(postgres, id).catch(() => {})
      throw error
    }
    // Days are moving between log and archive: it is asked again before the next block.
    if (error instanceof Problem && error.code === 'unavailable') return postponeApplication(postgres, id)
    const failure = failureOf(error)
    const at = failure === 'internal' ? (error as Error).stack?.split('\n')[1]?.trim() : undefined
    log.error({ application: id, failure, error: (error as Error).name, at }, 'changed rules could not be applied')
    return fail(failure)
  }
  log.info({ application: id }, 'changed rules are in force')
}

function failureOf(error: unknown): ApplicationFailure {
  if (error instanceof TooManyIdentifiers) return 'too_many_identifiers'
  return error instanceof ArchiveDamaged ? 'archive_damaged' : 'internal'
}

/** ClickHouse learns what the transaction changed: under the numbers that it took, so that repeating changes nothing. */
async function tell(context: Context, application: UnfinishedApplication): Promise<void> {
  const { postgres, clickhouse, now } = context
  const { workspaceId, id, firstBlock, lastBlock, isMoving } = application
  if (firstBlock === null || lastBlock === null) throw new Error('an application without numbers of blocks')
  for (let block = firstBlock; block <= lastBlock; block += 1) {
    const again = await transaction(postgres, client => unifyAgain(client, workspaceId, block))
    await insertMap(clickhouse, block, await readMap(postgres, workspaceId, again.changedNodes))
    await projectProfiles(clickhouse, block, again.profiles)
  }
  forgetWorkspaces(context)
  await settleMap(clickhouse)
  if (isMoving) await moveEvents(clickhouse, workspaceId, firstBlock)
  await endApplication(postgres, id, new Date(now()))
}
