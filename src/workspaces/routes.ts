/** HTTP of workspaces, users and invitations. */
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { type Actor, nothing, route } from '../http/route.ts'
import { checkPassword } from './access/sign-in.ts'
import {
  acceptInvitation,
  archiveWorkspace,
  changeRole,
  createUser,
  createWorkspace,
  hasAccount,
  invite,
  readInvitation,
  removeUser,
  resetPassword,
} from './manage.ts'
import {
  afterSchema,
  emailSchema,
  idParams,
  invitationOf,
  invitationSchema,
  nameSchema,
  passwordSchema,
  positionOf,
  roleSchema,
  userOf,
  userSchema,
  workspaceOf,
  workspaceSchema,
} from './shape.ts'
import {
  deleteInvitation,
  findMember,
  findWorkspace,
  listInvitations,
  listMembers,
  listWorkspacesOf,
  lockAdmins,
  renameWorkspace,
  type WorkspaceRow,
} from './store.ts'

const workspaceParams = z.object({ id: z.string().max(48) })

const workspaceCrud = [
  route({
    method: 'GET',
    path: '/api/v1/workspaces',
    summary: 'List my workspaces',
    description: 'An API key belongs to one. There is one page: nobody belongs to very many.',
    tag: 'workspaces',
    access: 'viewer',
    responses: { 200: pageOf(workspaceSchema) },
    errors: [],
    handle: async ({ context, actor }) => {
      const rows =
        actor.accountId === undefined
          ? [await currentWorkspace(context, actor)]
          : await listWorkspacesOf(context.postgres, actor.accountId)
      return { data: rows.map(workspaceOf), nextCursor: null }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/workspaces',
    summary: 'Make a workspace',
    description: 'Whoever is signed in becomes its admin; made with an API key, the admins of the key’s workspace do.',
    tag: 'workspaces',
    access: 'admin',
    body: z.strictObject({ name: nameSchema }),
    responses: { 201: workspaceSchema },
    errors: [],
    handle: async ({ context, actor, body }) => {
      const adminIds =
        actor.accountId === undefined ? await lockAdmins(context.postgres, actor.workspaceId) : [actor.accountId]
      return workspaceOf(await createWorkspace(context, { name: body.name, adminIds }))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/workspaces/{id}',
    summary: 'Read the current workspace',
    tag: 'workspaces',
    access: 'viewer',
    params: workspaceParams,
    responses: { 200: workspaceSchema },
    errors: [],
    handle: async ({ context, actor, params }) => workspaceOf(await currentWorkspace(context, actor, params.id)),
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/workspaces/{id}',
    summary: 'Rename the current workspace',
    tag: 'workspaces',
    access: 'admin',
    params: workspaceParams,
    body: z.strictObject({ name: nameSchema }),
    responses: { 200: workspaceSchema },
    errors: [],
    handle: async ({ context, actor, params, body }) => {
      const workspace = await currentWorkspace(context, actor, params.id)
      await renameWorkspace(context.postgres, workspace.id, body.name)
      return workspaceOf({ ...workspace, name: body.name })
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/workspaces/{id}',
    summary: 'Archive the current workspace',
    description: 'Ends its sessions and refuses its keys; its data stay until they are erased.',
    tag: 'workspaces',
    access: 'admin',
    params: workspaceParams,
    responses: { 204: nothing },
    errors: ['conflict'],
    handle: async ({ context, actor, params }) => {
      await archiveWorkspace(context, await currentWorkspace(context, actor, params.id))
    },
  }),
] as const

const userRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/users',
    summary: 'List the users of this workspace',
    tag: 'users',
    access: 'viewer',
    query: z.object(pageQuery),
    responses: { 200: pageOf(userSchema) },
    errors: [],
    handle: async ({ context, actor, query }) => {
      const after = decodeCursor(afterSchema, query.cursor)
      const rows = await listMembers(context.postgres, actor.workspaceId, { after, limit: query.limit + 1 })
      return pageFrom(rows.map(userOf), query.limit, positionOf)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/users/{id}',
    summary: 'Read a user',
    tag: 'users',
    access: 'viewer',
    params: idParams,
    responses: { 200: userSchema },
    errors: [],
    handle: async ({ context, actor, params }) => {
      const member = await findMember(context.postgres, actor.workspaceId, params.id)
      if (member === undefined) throw new Problem('not_found', 'There is no such user in this workspace.')
      return userOf(member)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/users',
    summary: 'Make an account with a password',
    tag: 'users',
    access: 'admin',
    body: z.strictObject({ email: emailSchema, name: nameSchema, role: roleSchema, password: passwordSchema }),
    responses: { 201: userSchema },
    errors: ['conflict'],
    handle: async ({ context, actor, body }) => userOf(await createUser(context, actor.workspaceId, body)),
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/users/{id}',
    summary: 'Change the role of a user',
    tag: 'users',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ role: roleSchema }),
    responses: { 200: userSchema },
    errors: ['conflict'],
    handle: async ({ context, actor, params, body }) =>
      userOf(await changeRole(context, actor.workspaceId, params.id, body.role)),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/users/{id}/password',
    summary: 'Set a new password for a user who forgot it',
    description: 'Ends all sessions of the user. Refused when the account belongs to another workspace too.',
    tag: 'users',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ password: passwordSchema }),
    responses: { 204: nothing },
    errors: [],
    handle: ({ context, actor, params, body }) => resetPassword(context, actor.workspaceId, params.id, body.password),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}',
    summary: 'Remove a user from this workspace',
    description: 'An account that belongs to no workspace any more is deleted. The last admin stays.',
    tag: 'users',
    access: 'admin',
    params: idParams,
    responses: { 204: nothing },
    errors: ['conflict'],
    handle: ({ context, actor, params }) => removeUser(context, actor.workspaceId, params.id),
  }),
] as const

const invitationRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/invitations',
    summary: 'List open invitations',
    tag: 'users',
    access: 'admin',
    query: z.object(pageQuery),
    responses: { 200: pageOf(invitationSchema) },
    errors: [],
    handle: async ({ context, actor, query }) => {
      const page = {
        after: decodeCursor(afterSchema, query.cursor),
        limit: query.limit + 1,
        now: new Date(context.now()),
      }
      const rows = await listInvitations(context.postgres, actor.workspaceId, page)
      return pageFrom(rows.map(invitationOf), query.limit, positionOf)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/invitations',
    summary: 'Invite someone',
    description: 'Pass the token on to them; it is in this answer only and is good once, for 7 days.',
    tag: 'users',
    access: 'admin',
    body: z.strictObject({ email: emailSchema, role: roleSchema }),
    responses: { 201: invitationSchema.extend({ token: z.string() }).meta({ id: 'NewInvitation' }) },
    errors: [],
    handle: async ({ context, actor, body }) => {
      const { invitation, token } = await invite(context, actor.workspaceId, body)
      return { ...invitationOf(invitation), token }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/invitations/{id}',
    summary: 'Withdraw an invitation',
    tag: 'users',
    access: 'admin',
    params: idParams,
    responses: { 204: nothing },
    errors: [],
    handle: async ({ context, actor, params }) => {
      if ((await deleteInvitation(context.postgres, actor.workspaceId, params.id)) === 0) {
        throw new Problem('not_found', 'There is no such invitation in this workspace.')
      }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/invitation-acceptances',
    summary: 'Accept an invitation',
    description: 'With a name and a new password, or, where the e-mail has an account, with the password it has.',
    tag: 'users',
    access: 'public',
    body: z.strictObject({ token: z.string().max(200), name: nameSchema.optional(), password: passwordSchema }),
    responses: { 201: z.object({ email: z.string() }) },
    errors: ['not_found', 'invalid_credentials', 'locked_out', 'conflict', 'unprocessable'],
    handle: async ({ context, body, address }) => {
      const { email } = await readInvitation(context, body.token)
      const { password, name } = body
      if (await hasAccount(context, email)) {
        const accountId = await checkPassword(context, { email, password, address })
        await acceptInvitation(context, body.token, { accountId })
      } else if (name === undefined) {
        throw new Problem('unprocessable', 'A new account needs a name.')
      } else {
        await acceptInvitation(context, body.token, { name, password })
      }
      return { email }
    },
  }),
] as const

export const membershipRoutes = [...workspaceCrud, ...userRoutes, ...invitationRoutes] as const

/** Every request concerns one workspace; another id is not found, whether or not there is such a workspace. */
async function currentWorkspace(context: Context, actor: Actor, slug = actor.workspaceSlug): Promise<WorkspaceRow> {
  const workspace = slug === actor.workspaceSlug ? await findWorkspace(context.postgres, actor.workspaceId) : undefined
  if (workspace === undefined) {
    throw new Problem('not_found', 'This is not the current workspace.', {
      hint: 'Switch to it first: PUT /api/v1/session.',
    })
  }
  return workspace
}
