/** HTTP of what was collected: the accounting, and rejected events seen, mended and sent again. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { route } from '../http/route.ts'
import { rejectionReasons } from '../spec/rejection.ts'
import { accountingOf, accountingSchema } from './accounting.ts'
import { resend } from './resend.ts'
import {
  closeRejection,
  findRejection,
  listRejections,
  readAccounting,
  rejectionStates,
  type StoredRejection,
} from './store-rejected.ts'

const PAYLOAD_CHARACTERS_MAX = 1_000_000

const instant = z.coerce.date().describe('ISO-8601')

const rejectionSchema = z.object({
  id: z.string(),
  source: z.string(),
  receivedAt: z.string(),
  reason: z.string(),
  /** The reason as a sentence. */
  message: z.string(),
  detail: z.string(),
  payload: z.string().describe('As it was sent.'),
  isCut: z
    .boolean()
    .describe('The payload was too large to keep whole, or stands whole with a rejection before this one.'),
  isDelivery: z
    .boolean()
    .describe('The payload is a delivery to a webhook: sent again, its source’s mapping reads it.'),
  state: z.enum(rejectionStates),
})

const acceptanceSchema = z.object({
  stored: z.number().int(),
  deduplicated: z.number().int(),
  rejected: z.number().int(),
})

const idParams = z.object({ id: z.string().regex(/^\d{1,15}$/) })

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/accounting',
    summary: 'What became of every event that was sent',
    tag: 'events',
    access: 'viewer',
    query: z.object({
      sourceId: z.string().optional(),
      from: instant.optional(),
      to: instant.optional().describe('Exclusive; whole minutes.'),
    }),
    responses: { 200: accountingSchema },
    errors: [],
    handle: async ({ context, actor, query }) =>
      accountingOf(
        await readAccounting(context.postgres, actor.workspaceId, {
          source: query.sourceId,
          from: query.from,
          to: query.to,
        }),
      ),
  }),
  route({
    method: 'GET',
    path: '/api/v1/rejections',
    summary: 'Events that were refused, newest first',
    tag: 'events',
    access: 'viewer',
    query: z.object({
      ...pageQuery,
      sourceId: z.string().optional(),
      reason: z.string().optional(),
      state: z.enum(rejectionStates).optional(),
    }),
    responses: { 200: pageOf(rejectionSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ context, actor, query }) => {
      const filter = {
        source: query.sourceId,
        reason: query.reason,
        state: query.state,
        before: decodeCursor(z.number().int(), query.cursor),
      }
      const page = pageFrom(
        await listRejections(context.postgres, actor.workspaceId, filter, query.limit + 1),
        query.limit,
        row => row.id,
      )
      return { data: page.data.map(presentRejection), nextCursor: page.nextCursor }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/rejections/{id}',
    summary: 'One refused event with what was sent',
    tag: 'events',
    access: 'viewer',
    params: idParams,
    responses: { 200: rejectionSchema },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) =>
      presentRejection(found(await findRejection(context.postgres, actor.workspaceId, Number(params.id)))),
  }),
  route({
    method: 'POST',
    path: '/api/v1/rejections/{id}/resends',
    summary: 'Send a refused event again, mended',
    tag: 'events',
    access: 'editor',
    params: idParams,
    body: z.object({
      payload: z
        .string()
        .max(PAYLOAD_CHARACTERS_MAX)
        .optional()
        .describe('The mended payload; without it, what was sent.'),
    }),
    responses: { 201: acceptanceSchema },
    errors: ['not_found', 'conflict', 'unprocessable', 'unavailable', 'overloaded'],
    handle: async ({ context, actor, params, body }) => {
      const rejection = found(await findRejection(context.postgres, actor.workspaceId, Number(params.id)))
      if (rejection.state !== 'open') throw alreadyClosed(rejection)
      const acceptance = await resend(context, actor.workspaceId, rejection, body.payload)
      await closeRejection(context.postgres, actor.workspaceId, rejection.id, 'resent')
      return { stored: acceptance.stored, deduplicated: acceptance.deduplicated, rejected: acceptance.rejected }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/rejections/{id}/discards',
    summary: 'Put a refused event away for good',
    tag: 'events',
    access: 'editor',
    params: idParams,
    responses: { 201: rejectionSchema },
    errors: ['not_found', 'conflict'],
    handle: async ({ context, actor, params }) => {
      const rejection = found(await findRejection(context.postgres, actor.workspaceId, Number(params.id)))
      const isClosed = await closeRejection(context.postgres, actor.workspaceId, rejection.id, 'discarded')
      if (!isClosed) throw alreadyClosed(rejection)
      return presentRejection({ ...rejection, state: 'discarded' })
    },
  }),
] as const

function found(rejection: StoredRejection | undefined): StoredRejection {
  if (!rejection) throw new Problem('not_found', 'There is no such rejected event in this workspace.')
  return rejection
}

const alreadyClosed = (rejection: StoredRejection) =>
  new Problem('conflict', `This event was ${rejection.state === 'open' ? 'just dealt with' : rejection.state} already.`)

const presentRejection = (row: StoredRejection): z.output<typeof rejectionSchema> => ({
  id: String(row.id),
  source: row.source,
  receivedAt: row.receivedAt.toISOString(),
  reason: row.reason,
  message: (rejectionReasons as Record<string, string>)[row.reason] ?? row.reason,
  detail: row.detail,
  payload: row.payload.toString('utf8'),
  isCut: row.isCut,
  isDelivery: row.deliveryHeaders !== null,
  state: row.state,
})
