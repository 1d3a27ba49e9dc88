/** HTTP of sources. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { nothing, route } from '../http/route.ts'
import type { JsonObject } from '../spec/json.ts'
import { createSource, rotateWriteKey } from './create.ts'
import { forgetSources } from './find.ts'
import { creatableKinds, settingsSchema, sourceNameSchema, sourceOf, sourceParams, sourceSchema } from './source.ts'
import { archiveSource, findSource, listSources, updateSource } from './store.ts'
import { sealWebhookSettings } from './webhook-settings.ts'

const params = sourceParams
const afterSchema = z.object({ id: z.string() })

export const sourceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/sources',
    summary: 'List sources',
    tag: 'sources',
    access: 'viewer',
    query: z.object(pageQuery),
    responses: { 200: pageOf(sourceSchema) },
    errors: [],
    handle: async ({ context, actor, query }) => {
      const after = decodeCursor(afterSchema, query.cursor)?.id ?? ''
      const rows = await listSources(context.postgres, actor.workspaceId, { after, limit: query.limit + 1 })
      const sources = rows.map(row => sourceOf(row, actor.role))
      return pageFrom(sources, query.limit, source => ({ id: source.id }))
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/sources',
    summary: 'Make a source',
    tag: 'sources',
    access: 'editor',
    body: z.strictObject({
      name: sourceNameSchema,
      kind: z.enum(creatableKinds).default('http'),
      settings: settingsSchema.optional(),
    }),
    responses: { 201: sourceSchema },
    errors: ['conflict'],
    handle: async ({ context, actor, body }) => {
      const { name, kind } = body
      const given = (body.settings ?? {}) as JsonObject
      const settings = kind === 'webhook' ? sealWebhookSettings(context.config, given) : given
      const wish = { name, kind, settings }
      return sourceOf(await createSource(context, context.postgres, actor.workspaceId, wish), actor.role)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/sources/{id}',
    summary: 'Read a source',
    tag: 'sources',
    access: 'viewer',
    params,
    responses: { 200: sourceSchema },
    errors: [],
    handle: async ({ context, actor, params: { id } }) => {
      const source = await findSource(context.postgres, actor.workspaceId, id)
      return sourceOf(source ?? notFound(), actor.role)
    },
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/sources/{id}',
    summary: 'Rename a source, switch it on or off, or replace its settings',
    tag: 'sources',
    access: 'editor',
    params,
    body: z.strictObject({
      name: sourceNameSchema.optional(),
      isEnabled: z.boolean().optional(),
      settings: settingsSchema.optional(),
    }),
    responses: { 200: sourceSchema },
    errors: [],
    handle: async ({ context, actor, params: { id }, body }) => {
      const before = (await findSource(context.postgres, actor.workspaceId, id)) ?? notFound()
      const given = body.settings as JsonObject | undefined
      const settings =
        given && before.kind === 'webhook' ? sealWebhookSettings(context.config, given, before.settings) : given
      const change = { ...body, settings }
      const source = await updateSource(context.postgres, actor.workspaceId, id, change)
      forgetSources(context)
      return sourceOf(source ?? notFound(), actor.role)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/sources/{id}/write-keys',
    summary: 'Give a source a new write key',
    description: 'The old key stops working: at once in the process that answers, within 3 seconds in others.',
    tag: 'sources',
    access: 'editor',
    params,
    responses: { 201: sourceSchema },
    errors: [],
    handle: async ({ context, actor, params: { id } }) => {
      const source = await rotateWriteKey(context, actor.workspaceId, id)
      return sourceOf(source ?? notFound(), actor.role)
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/sources/{id}',
    summary: 'Archive a source',
    description: 'Its write key is refused from now on; its events stay, and its id is not given to another.',
    tag: 'sources',
    access: 'editor',
    params,
    responses: { 204: nothing },
    errors: [],
    handle: async ({ context, actor, params: { id } }) => {
      if ((await archiveSource(context.postgres, actor.workspaceId, id, new Date(context.now()))) === 0) notFound()
      forgetSources(context)
    },
  }),
] as const

function notFound(): never {
  throw new Problem('not_found', 'There is no such source in this workspace.')
}
