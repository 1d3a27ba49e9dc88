/** Rebuilds: empties what is derived and begins at the first row of the log again; events go on being accepted meanwhile. */
import type { Context } from '../context.ts'
import { type Connection, transaction } from '../store/postgres.ts'
import { archiveFolder, restoreArchive } from './archive.ts'
import type { Interlude } from './interlude.ts'
import { beginRebuild, findPendingRebuild } from './store-rebuild.ts'

export interface Derived {
  /** Empties every table that is made from the log, in the given transaction. */
  empty(client: Connection): Promise<void>
  /** Empties every table of ClickHouse. */
  emptyProjection(): Promise<void>
}

export function rebuildInterlude({ postgres, config, log, now }: Context, derived: Derived): Interlude {
  return async () => {
    const id = await findPendingRebuild(postgres)
    if (id === undefined) return undefined
    return async standstill => {
      // Somebody reads days: asked again, this time without stopping blocks.
      if (!(await restoreArchive(postgres, archiveFolder(config.dataDir)))) return
      await derived.emptyProjection()
      await transaction(postgres, async client => {
        await derived.empty(client)
        await beginRebuild(client, id, new Date(now()))
        await standstill.seal(client, standstill.nextBlock - 1)
      })
      log.info({ rebuild: id }, 'rebuilding everything from the log')
    }
  }
}
