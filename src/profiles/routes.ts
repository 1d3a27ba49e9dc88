/** HTTP of profiles: lists, one person or company with provenance, their timeline, and how traits are chosen. */
import { z } from 'zod'
import { readTimeline } from '../events/index.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { nothing, route } from '../http/route.ts'
import { membersOf, profileIdOf } from '../identity/index.ts'
import type { Event } from '../spec/event.ts'
import { type Json, jsonSchema } from '../spec/json.ts'
import { traitPolicySchema } from './fold.ts'
import { type FullProfile, findHolder, ownerOf, readProfile, readTraits } from './read.ts'
import { deletePolicy, type ListedProfile, listProfiles, readPolicies, upsertPolicy } from './store.ts'

const SEARCH_CHARACTERS_MAX = 200
const REFERENCE_CHARACTERS_MAX = 1_100

const reference = z
  .string()
  .min(1)
  .max(REFERENCE_CHARACTERS_MAX)
  .describe('`p_…`, or an identifier: `email:ada@example.com`.')
const identifierSchema = z.object({ namespace: z.string(), value: z.string() })
const traitsSchema = z.record(z.string(), jsonSchema)

const listedSchema = z.object({
  id: z.string(),
  kind: z.enum(['person', 'company']),
  name: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  traits: traitsSchema,
  identifiers: z.array(identifierSchema),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
})

const provenanceSchema = z.object({
  source: z.string(),
  messageId: z.string(),
  timestamp: z.string(),
  overruled: z.array(z.object({ value: jsonSchema, source: z.string(), messageId: z.string(), timestamp: z.string() })),
})

const profileSchema = z.object({
  id: z.string(),
  kind: z.enum(['person', 'company']),
  traits: traitsSchema,
  provenance: z.record(z.string(), provenanceSchema),
  identifiers: z.array(identifierSchema),
  firstSeenAt: z.string().nullable(),
  lastSeenAt: z.string().nullable(),
  eventCount: z.number().int(),
})

const eventSchema = z.object({
  messageId: z.string(),
  type: z.string(),
  event: z.string().nullable(),
  name: z.string().nullable().describe('Of a page or screen.'),
  category: z.string().nullable(),
  timestamp: z.string(),
  originalTimestamp: z.string().nullable(),
  sentAt: z.string().nullable(),
  receivedAt: z.string(),
  userId: z.string().nullable(),
  anonymousId: z.string().nullable(),
  groupId: z.string().nullable(),
  previousId: z.string().nullable(),
  properties: traitsSchema,
  traits: traitsSchema,
  context: traitsSchema,
  integrations: traitsSchema,
  source: z.string(),
})

const listRoutes = (['person', 'company'] as const).map(kind =>
  route({
    method: 'GET',
    path: kind === 'person' ? '/api/v1/profiles' : '/api/v1/companies',
    summary: kind === 'person' ? 'People, last seen first' : 'Companies, last seen first',
    tag: 'profiles',
    access: 'viewer',
    query: z.object({
      ...pageQuery,
      search: z
        .string()
        .max(SEARCH_CHARACTERS_MAX)
        .optional()
        .describe('A fragment of a name, e-mail address, phone number or id.'),
    }),
    responses: { 200: pageOf(listedSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ context, actor, query }) => {
      const after = decodeCursor(z.object({ lastSeen: z.string(), node: z.number().int() }), query.cursor)
      const rows = await listProfiles(
        context.postgres,
        actor.workspaceId,
        { kind, search: query.search, after },
        query.limit + 1,
      )
      const page = pageFrom(rows, query.limit, row => ({ lastSeen: row.lastSeenText, node: row.node }))
      return { data: await presentList(context, actor.workspaceId, page.data), nextCursor: page.nextCursor }
    },
  }),
)

export const profileRoutes = [
  ...listRoutes,
  route({
    method: 'GET',
    path: '/api/v1/profiles/{id}',
    summary: 'One person or company: traits, where each came from, identifiers',
    tag: 'profiles',
    access: 'viewer',
    params: z.object({ id: reference }),
    responses: { 200: profileSchema },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) =>
      presentProfile(await readProfile(context, actor.workspaceId, params.id)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/profiles/{id}/events',
    summary: 'The timeline of one person, newest first',
    tag: 'profiles',
    access: 'viewer',
    params: z.object({ id: reference }),
    query: z.object({
      ...pageQuery,
      event: z.string().optional(),
      type: z.string().optional(),
      source: z.string().optional(),
      from: z.coerce.date().optional(),
      to: z.coerce.date().optional().describe('Exclusive.'),
    }),
    responses: { 200: pageOf(eventSchema) },
    errors: ['not_found', 'invalid_cursor'],
    handle: async ({ context, actor, params, query }) => {
      const holder = await findHolder(context, actor.workspaceId, params.id)
      const { limit, cursor, from, to, ...filter } = query
      const after = decodeCursor(z.object({ at: z.number(), messageId: z.string() }), cursor)
      const events = await readTimeline(context.clickhouse, ownerOf(actor.workspaceId, holder), {
        ...filter,
        from: from?.getTime(),
        to: to?.getTime(),
        after,
        limit: limit + 1,
      })
      const page = pageFrom(events, limit, event => ({ at: Date.parse(event.timestamp), messageId: event.messageId }))
      return { data: page.data.map(presentEvent), nextCursor: page.nextCursor }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/trait-policies',
    summary: 'Who wins where sources or times disagree, by trait',
    tag: 'profiles',
    access: 'viewer',
    responses: {
      200: z.object({ data: z.array(traitPolicySchema.extend({ trait: z.string() })), nextCursor: z.null() }),
    },
    errors: [],
    handle: async ({ context, actor }) => {
      const policies = await readPolicies(context.postgres, actor.workspaceId)
      return { data: Object.entries(policies).map(([trait, policy]) => ({ trait, ...policy })), nextCursor: null }
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/trait-policies/{trait}',
    summary: 'Set who wins for a trait',
    description:
      'Profiles that are read show it at once; lists and ClickHouse when a person changes next, or after a rebuild.',
    tag: 'profiles',
    access: 'admin',
    params: z.object({ trait: z.string().min(1).max(SEARCH_CHARACTERS_MAX) }),
    body: traitPolicySchema,
    responses: { 200: traitPolicySchema.extend({ trait: z.string() }) },
    errors: [],
    handle: async ({ context, actor, params, body }) => {
      await upsertPolicy(context.postgres, actor.workspaceId, params.trait, body)
      return { trait: params.trait, ...body }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/trait-policies/{trait}',
    summary: 'Go back to the default: the latest by event time, the CRM first',
    tag: 'profiles',
    access: 'admin',
    params: z.object({ trait: z.string().min(1).max(SEARCH_CHARACTERS_MAX) }),
    responses: { 204: nothing },
    errors: [],
    handle: async ({ context, actor, params }) => deletePolicy(context.postgres, actor.workspaceId, params.trait),
  }),
] as const

async function presentList(
  context: Parameters<typeof readTraits>[0],
  workspaceId: number,
  rows: ListedProfile[],
): Promise<z.output<typeof listedSchema>[]> {
  const members = await membersOf(
    context.postgres,
    workspaceId,
    rows.map(row => row.node),
  )
  const traits = await readTraits(context, workspaceId, members)
  return rows.map(row => ({
    id: profileIdOf(row.publicId),
    kind: row.kind,
    name: row.name,
    email: row.email,
    phone: row.phone,
    traits: traits.get(row.node) ?? {},
    identifiers: (members.get(row.node) ?? []).map(({ namespace, value }) => ({ namespace, value })),
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
  }))
}

const presentProfile = (profile: FullProfile): z.output<typeof profileSchema> => ({
  id: profile.holder.id,
  kind: profile.holder.kind,
  traits: profile.traits,
  provenance: profile.provenance,
  identifiers: profile.holder.members.map(({ namespace, value }) => ({ namespace, value })),
  firstSeenAt: instant(profile.firstSeenAt),
  lastSeenAt: instant(profile.lastSeenAt),
  eventCount: profile.eventCount,
})

const instant = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())

const presentEvent = (event: Event): z.output<typeof eventSchema> => ({
  messageId: event.messageId,
  type: event.type,
  event: event.event ?? null,
  name: event.name ?? null,
  category: event.category ?? null,
  timestamp: event.timestamp,
  originalTimestamp: event.originalTimestamp ?? null,
  sentAt: event.sentAt ?? null,
  receivedAt: event.receivedAt,
  userId: event.userId ?? null,
  anonymousId: event.anonymousId ?? null,
  groupId: event.groupId ?? null,
  previousId: event.previousId ?? null,
  properties: objectOf(event.properties),
  traits: objectOf(event.traits),
  context: objectOf(event.context),
  integrations: objectOf(event.integrations),
  source: event.source,
})

const objectOf = (value: { [key: string]: Json | undefined } | undefined) => (value ?? {}) as { [key: string]: Json }
