/** HTTP of the rules of identity: which are in force, which were, changing them, and trying a change out. */
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { type Actor, answer, route } from '../http/route.ts'
import { defaultIdentityRules, type IdentityRules, identityRulesSchema } from '../spec/identifier.ts'
import { requestRules, tryRules } from './change-rules.ts'
import { type Application, type ApplicationFailure, findApplication, listApplications } from './store-applications.ts'
import { listRulesVersions, type RulesVersion, readRulesVersion } from './store-rules.ts'

const versionSchema = z.object({
  version: z.number().int().describe('0: the defaults, never changed.'),
  rules: identityRulesSchema,
  createdAt: z.string().nullable(),
  createdBy: z.string().nullable().describe('Account or API key.'),
})

const applicationSchema = z.object({
  id: z.string(),
  state: z.enum(['pending', 'running', 'done', 'failed']),
  version: z.number().int().nullable().describe('The version that it put in force.'),
  progress: z.object({ done: z.number().int(), total: z.number().int() }).describe('Events read, over all passes.'),
  requestedAt: z.string(),
  requestedBy: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  changedProfiles: z.number().int().nullable().describe('Profiles that changed, began or ended.'),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
})

const sampleSchema = z
  .array(
    z.object({
      identifier: z.object({ namespace: z.string(), value: z.string() }),
      before: z.string().describe('A letter for the profile that it is in.'),
      after: z.string().describe('A letter for the profile that it would be in.'),
    }),
  )
  .describe('Some identifiers of profiles that change together.')

const evaluationSchema = z.object({
  profilesBefore: z.number().int(),
  profilesAfter: z.number().int(),
  merged: z.number().int().describe('Profiles that would go up in another.'),
  split: z.number().int().describe('Profiles whose identifiers would belong to several.'),
  dropped: z.number().int().describe('Identifiers that would be none.'),
  samples: z.object({ merged: z.array(sampleSchema), split: z.array(sampleSchema) }),
})

const ROOT = '/api/v1/identity-rules'

export const rulesRoutes = [
  route({
    method: 'GET',
    path: ROOT,
    summary: 'The rules of identity in force',
    tag: 'identity',
    access: 'viewer',
    responses: { 200: versionSchema },
    errors: [],
    handle: async ({ context, actor }) => presentVersion(await readRulesVersion(context.postgres, actor.workspaceId)),
  }),
  route({
    method: 'PUT',
    path: ROOT,
    summary: 'Change the rules: they come into force by being applied to everything that ever happened',
    description: 'Events go on being accepted, and everybody reads the old state until it is done.',
    tag: 'identity',
    access: 'admin',
    body: identityRulesSchema,
    responses: { 202: applicationSchema },
    errors: ['conflict'],
    handle: ({ context, actor, body }) => request(context, actor, body),
  }),
  route({
    method: 'DELETE',
    path: ROOT,
    summary: 'Go back to the default rules; they are applied likewise',
    tag: 'identity',
    access: 'admin',
    responses: { 202: applicationSchema },
    errors: ['conflict'],
    handle: ({ context, actor }) => request(context, actor, defaultIdentityRules),
  }),
  route({
    method: 'GET',
    path: `${ROOT}/versions`,
    summary: 'Every change of the rules, newest first',
    tag: 'identity',
    access: 'viewer',
    query: z.object(pageQuery),
    responses: { 200: pageOf(versionSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ context, actor, query }) => {
      const before = decodeCursor(z.number().int(), query.cursor)
      const rows = await listRulesVersions(context.postgres, actor.workspaceId, before, query.limit + 1)
      const page = pageFrom(rows, query.limit, row => row.version)
      return { data: page.data.map(presentVersion), nextCursor: page.nextCursor }
    },
  }),
  route({
    method: 'GET',
    path: `${ROOT}/applications`,
    summary: 'Changed rules on their way into force, and those that were, newest first',
    tag: 'identity',
    access: 'viewer',
    query: z.object(pageQuery),
    responses: { 200: pageOf(applicationSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ context, actor, query }) => {
      const before = decodeCursor(z.object({ requestedAt: z.string(), id: z.uuid() }), query.cursor)
      const rows = await listApplications(context.postgres, actor.workspaceId, before, query.limit + 1)
      const page = pageFrom(rows, query.limit, ({ id, requestedAt }) => ({ id, requestedAt }))
      return { data: page.data.map(presentApplication), nextCursor: page.nextCursor }
    },
  }),
  route({
    method: 'GET',
    path: `${ROOT}/applications/{id}`,
    summary: 'How far an application of changed rules is, and the rules that it applies',
    tag: 'identity',
    access: 'viewer',
    params: z.object({ id: z.uuid() }),
    responses: { 200: applicationSchema.extend({ rules: identityRulesSchema }) },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) => {
      const application = await findApplication(context.postgres, actor.workspaceId, params.id)
      if (!application) throw new Problem('not_found', 'There is no such application of rules in this workspace.')
      return { ...presentApplication(application), rules: application.rules }
    },
  }),
  route({
    method: 'POST',
    path: `${ROOT}/evaluations`,
    summary: 'Dry run: what other rules would merge, split and drop, on the real data, without changing anything',
    tag: 'identity',
    access: 'editor',
    body: z.object({ rules: identityRulesSchema }),
    responses: { 201: evaluationSchema },
    errors: ['unprocessable', 'overloaded', 'unavailable'],
    handle: ({ context, actor, body, signal }) => tryRules(context, actor.workspaceId, body.rules, signal),
  }),
] as const

async function request(context: Context, actor: Actor, rules: IdentityRules) {
  const requestedBy = actor.accountId ?? actor.apiKeyId ?? actor.via
  const made = { id: context.uuid(), requestedBy, requestedAt: new Date(context.now()) }
  return answer(202, presentApplication(await requestRules(context, actor.workspaceId, rules, made)))
}

const presentVersion = ({ version, rules, createdAt, createdBy }: RulesVersion): z.input<typeof versionSchema> => ({
  version,
  rules,
  createdAt: createdAt?.toISOString() ?? null,
  createdBy,
})

const failures: Record<ApplicationFailure, string> = {
  too_many_identifiers: 'There are more identifiers than one process can hold in memory.',
  archive_damaged: 'A file of the archive is not what it was: put it back from a backup, then apply the rules again.',
  interrupted:
    'It was begun several times and each time the program ended before it was done, perhaps for lack of memory.',
  internal: 'Something went wrong that should not have; the log of the server says where.',
}

const presentApplication = (application: Application): z.input<typeof applicationSchema> => {
  const { id, state, version, done, total, requestedBy, changedProfiles, failure } = application
  return {
    id,
    // Telling ClickHouse is the end of running.
    state: state === 'projecting' ? 'running' : state,
    version,
    progress: { done, total },
    requestedAt: application.requestedAt.toISOString(),
    requestedBy,
    startedAt: application.startedAt?.toISOString() ?? null,
    finishedAt: application.finishedAt?.toISOString() ?? null,
    changedProfiles,
    failure: failure && { code: failure, message: failures[failure] },
  }
}
