/** HTTP of the rules of identity: which are in force, which were, changing them, and trying a change out. */
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { type Actor, answer, route } from '../http/route.ts'
import {
  defaultIdentityRules,
  type IdentityRules,
  identityRulesSchema,
  namespaceName,
  namespaceRuleSchema,
} from '../spec/identifier.ts'
import { requestRules, tryRules } from './change-rules.ts'
import { applicationSchema, presentApplication, presentVersion, versionSchema } from './rules-answers.ts'
import { findApplication, listApplications } from './store-applications.ts'
import { listRulesVersions, readRules, readRulesVersion } from './store-rules.ts'

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
const namespaceParams = z.object({ namespace: namespaceName })

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
    method: 'GET',
    path: `${ROOT}/namespaces/{namespace}`,
    summary: 'The rule in force of one namespace',
    tag: 'identity',
    access: 'viewer',
    params: namespaceParams,
    responses: { 200: namespaceRuleSchema },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) => {
      const rule = (await readRules(context.postgres, actor.workspaceId)).namespaces[params.namespace]
      if (!rule) throw unknownNamespace()
      return rule
    },
  }),
  route({
    method: 'PUT',
    path: `${ROOT}/namespaces/{namespace}`,
    summary: 'Change the rule of one namespace, or add a namespace; the others stay as they are',
    tag: 'identity',
    access: 'admin',
    params: namespaceParams,
    body: namespaceRuleSchema,
    responses: { 202: applicationSchema },
    errors: ['conflict'],
    handle: async ({ context, actor, params, body }) => {
      const rules = await readRules(context.postgres, actor.workspaceId)
      return request(
        context,
        actor,
        checked({ ...rules, namespaces: { ...rules.namespaces, [params.namespace]: body } }),
      )
    },
  }),
  route({
    method: 'DELETE',
    path: `${ROOT}/namespaces/{namespace}`,
    summary: 'Take a namespace out of the rules: its values are no identifiers any more',
    tag: 'identity',
    access: 'admin',
    params: namespaceParams,
    responses: { 202: applicationSchema },
    errors: ['not_found', 'invalid_request', 'conflict'],
    handle: async ({ context, actor, params }) => {
      const rules = await readRules(context.postgres, actor.workspaceId)
      const { [params.namespace]: rule, ...namespaces } = rules.namespaces
      if (!rule) throw unknownNamespace()
      return request(context, actor, checked({ ...rules, namespaces }))
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

const unknownNamespace = () => new Problem('not_found', 'The rules know no such namespace.')

/** A rule can be right by itself and wrong beside the others: a second login, say. */
function checked(rules: IdentityRules): IdentityRules {
  const parsed = identityRulesSchema.safeParse(rules)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new Problem('invalid_request', 'With this the rules as a whole would not hold.', { faults })
}

async function request(context: Context, actor: Actor, rules: IdentityRules) {
  const requestedBy = actor.accountId ?? actor.apiKeyId ?? actor.via
  const made = { id: context.uuid(), requestedBy, requestedAt: new Date(context.now()) }
  return answer(202, presentApplication(await requestRules(context, actor.workspaceId, rules, made)))
}
