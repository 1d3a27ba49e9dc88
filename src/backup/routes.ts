/** HTTP of backups and rebuilds: both concern the whole installation, so only the owner of its data folder may ask. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { findRebuild, type RebuildRow, requestRebuild } from '../events/index.ts'
import { type Actor, content, route } from '../http/route.ts'
import { DEFAULT_WORKSPACE } from '../workspaces/index.ts'
import { openBackup } from './backup.ts'

const rebuildSchema = z.object({
  id: z.string(),
  requestedAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  total: z.number().int().describe('Groups of the log to go through.'),
  done: z.number().int(),
})

export const backupRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/backups/current',
    summary: 'Everything that cannot be made anew, as one file, as it stands now',
    tag: 'operation',
    access: 'admin',
    responses: { 200: content('application/zstd') },
    errors: ['forbidden'],
    handle: async ({ context, actor }) => {
      requireInstallation(actor)
      return openBackup(context)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/rebuilds',
    summary: 'Make everything that is derived anew from the log and the archive',
    tag: 'operation',
    access: 'admin',
    responses: { 202: rebuildSchema },
    errors: ['forbidden'],
    handle: async ({ context, actor }) => {
      requireInstallation(actor)
      const id = await requestRebuild(context.postgres, context.uuid(), new Date(context.now()))
      return presentRebuild(await findRebuild(context.postgres, id))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/rebuilds/{id}',
    summary: 'How far a rebuild is',
    tag: 'operation',
    access: 'admin',
    params: z.object({ id: z.uuid() }),
    responses: { 200: rebuildSchema },
    errors: ['forbidden', 'not_found'],
    handle: async ({ context, actor, params }) => {
      requireInstallation(actor)
      return presentRebuild(await findRebuild(context.postgres, params.id))
    },
  }),
] as const

/** Admins of the default workspace run the installation; those of other workspaces are its guests. */
function requireInstallation(actor: Actor): void {
  if (actor.workspaceSlug === DEFAULT_WORKSPACE) return
  throw new Problem(
    'forbidden',
    'This concerns the whole installation, which only admins of its first workspace may do.',
  )
}

function presentRebuild(row: RebuildRow | undefined): z.output<typeof rebuildSchema> {
  if (!row) throw new Problem('not_found', 'There is no such rebuild.')
  return {
    ...row,
    requestedAt: row.requestedAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
