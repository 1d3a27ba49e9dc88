/** HTTP of backups and rebuilds: both concern the whole installation, so only the owner of its data folder may ask. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { findRebuild, type RebuildRow, requestRebuild } from '../events/index.ts'
import { content, route } from '../http/route.ts'
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
    access: 'operator',
    responses: { 200: content('application/zstd') },
    errors: [],
    handle: async ({ context }) => openBackup(context),
  }),
  route({
    method: 'POST',
    path: '/api/v1/rebuilds',
    summary: 'Make everything that is derived anew from the log and the archive',
    tag: 'operation',
    access: 'operator',
    responses: { 202: rebuildSchema },
    errors: [],
    handle: async ({ context }) => {
      const id = await requestRebuild(context.postgres, context.uuid(), new Date(context.now()))
      return presentRebuild(await findRebuild(context.postgres, id))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/rebuilds/{id}',
    summary: 'How far a rebuild is',
    tag: 'operation',
    access: 'operator',
    params: z.object({ id: z.uuid() }),
    responses: { 200: rebuildSchema },
    errors: ['not_found'],
    handle: async ({ context, params }) => {
      return presentRebuild(await findRebuild(context.postgres, params.id))
    },
  }),
] as const

function presentRebuild(row: RebuildRow | undefined): z.output<typeof rebuildSchema> {
  if (!row) throw new Problem('not_found', 'There is no such rebuild.')
  return {
    ...row,
    requestedAt: row.requestedAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
