/** HTTP of the ways in: session, account, API keys. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { Problem } from '../../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../../http/page.ts'
import { type Actor, answer, nothing, route } from '../../http/route.ts'
import {
  afterSchema,
  apiKeyOf,
  apiKeySchema,
  emailSchema,
  idParams,
  nameSchema,
  passwordSchema,
  positionOf,
  roleSchema,
  sessionSchema,
} from '../shape.ts'
import { findAccount, findWorkspace, listWorkspacesOf, renameAccount, setPasswordHash } from '../store.ts'
import { authenticator, forgetActors, SESSION_TOTAL_MS } from './authenticate.ts'
import { isSecureOrigin, sessionCookie } from './cookie.ts'
import { hashPassword } from './password.ts'
import { checkPassword, closeAllSessions, closeSession, openSession, switchWorkspace } from './sign-in.ts'
import { insertApiKey, listApiKeys, revokeApiKey } from './store.ts'
import { API_KEY_PREFIX, hashToken, shownPrefix, TOKEN_BYTES, tokenFrom } from './token.ts'

const EVERY_SESSION = 'all'

const sessionRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/session',
    summary: 'Sign in',
    description: 'Sets the session cookie. At most 10 wrong passwords in 15 minutes for an e-mail and from an address.',
    tag: 'session',
    access: 'public',
    body: z.strictObject({
      email: emailSchema,
      // No minimum here: a short password is wrong like any other.
      password: z.string().max(1_000),
      workspaceId: z.string().optional(),
    }),
    responses: { 201: sessionSchema },
    errors: ['invalid_credentials', 'locked_out', 'forbidden'],
    handle: async ({ context, body, raw, address }) => {
      const accountId = await checkPassword(context, { email: body.email, password: body.password, address })
      const token = await openSession(context, accountId, body.workspaceId)
      const isSecure = isSecureOrigin(raw.headers.origin)
      const cookie = sessionCookie(token, isSecure, SESSION_TOTAL_MS / 1000)
      const actor = await actorOf(context, token, address)
      return answer(201, await describeSession(context, actor), { 'set-cookie': cookie })
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/session',
    summary: 'Who am I, in which workspace, and what may I do?',
    tag: 'session',
    access: 'viewer',
    responses: { 200: sessionSchema },
    errors: [],
    handle: ({ context, actor }) => describeSession(context, actor),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/session',
    summary: 'Switch to another of my workspaces',
    tag: 'session',
    access: 'viewer',
    body: z.strictObject({ workspaceId: z.string() }),
    responses: { 200: sessionSchema },
    errors: ['not_found', 'forbidden'],
    handle: async ({ context, actor, body }) => {
      const chosen = await switchWorkspace(context, needSession(actor), body.workspaceId)
      const there = { workspaceId: chosen.id, workspaceSlug: chosen.slug, role: chosen.role }
      return describeSession(context, { ...actor, ...there })
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/session',
    summary: 'Sign out',
    tag: 'session',
    access: 'viewer',
    query: z.object({ sessions: z.enum([EVERY_SESSION]).optional().describe('all: on every device.') }),
    responses: { 204: nothing },
    errors: ['forbidden'],
    handle: async ({ context, actor, query, raw }) => {
      const session = needSession(actor)
      if (query.sessions === EVERY_SESSION) await closeAllSessions(context, session.accountId)
      else await closeSession(context, session.tokenHash)
      return answer(204, undefined, { 'set-cookie': sessionCookie('', isSecureOrigin(raw.headers.origin), 0) })
    },
  }),
] as const

const accountRoutes = [
  route({
    method: 'PATCH',
    path: '/api/v1/account',
    summary: 'Change my name',
    tag: 'session',
    access: 'viewer',
    body: z.strictObject({ name: nameSchema }),
    responses: { 200: sessionSchema },
    errors: ['forbidden'],
    handle: async ({ context, actor, body }) => {
      await renameAccount(context.postgres, needSession(actor).accountId, body.name)
      return describeSession(context, actor)
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/account/password',
    summary: 'Change my password',
    description: 'Ends every session of the account, this one too.',
    tag: 'session',
    access: 'viewer',
    body: z.strictObject({ currentPassword: z.string().max(1_000), password: passwordSchema }),
    responses: { 204: nothing },
    errors: ['invalid_credentials', 'locked_out', 'forbidden'],
    handle: async ({ context, actor, body, address }) => {
      const { accountId } = needSession(actor)
      const account = await findAccount(context.postgres, accountId)
      if (account === undefined) throw new Problem('forbidden', 'This account is gone.')
      await checkPassword(context, { email: account.email, password: body.currentPassword, address })
      await setPasswordHash(context.postgres, accountId, await hashPassword(body.password))
      await closeAllSessions(context, accountId)
    },
  }),
] as const

const apiKeyRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/api-keys',
    summary: 'List API keys',
    tag: 'api-keys',
    access: 'admin',
    query: z.object(pageQuery),
    responses: { 200: pageOf(apiKeySchema) },
    errors: [],
    handle: async ({ context, actor, query }) => {
      const after = decodeCursor(afterSchema, query.cursor)
      const rows = await listApiKeys(context.postgres, actor.workspaceId, { after, limit: query.limit + 1 })
      return pageFrom(rows.map(apiKeyOf), query.limit, positionOf)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/api-keys',
    summary: 'Make an API key',
    description: 'The key itself is in this answer only: it is stored as a hash.',
    tag: 'api-keys',
    access: 'admin',
    body: z.strictObject({ name: nameSchema, role: roleSchema }),
    responses: { 201: apiKeySchema.extend({ key: z.string() }).meta({ id: 'NewApiKey' }) },
    errors: [],
    handle: async ({ context, actor, body }) => {
      const key = API_KEY_PREFIX + tokenFrom(randomBytes(TOKEN_BYTES))
      const row = await insertApiKey(context.postgres, actor.workspaceId, {
        id: context.uuid(),
        name: body.name,
        role: body.role,
        prefix: shownPrefix(key),
        keyHash: hashToken(key),
        at: new Date(context.now()),
      })
      if (row === undefined) throw new Error('256 random bits were there already')
      return { ...apiKeyOf(row), key }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/api-keys/{id}',
    summary: 'Revoke an API key',
    description: 'At once in the process that answers, within 5 seconds in others.',
    tag: 'api-keys',
    access: 'admin',
    params: idParams,
    responses: { 204: nothing },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) => {
      const at = new Date(context.now())
      if ((await revokeApiKey(context.postgres, actor.workspaceId, params.id, at)) === 0) {
        throw new Problem('not_found', 'There is no such API key in this workspace.')
      }
      forgetActors(context)
    },
  }),
] as const

export const accessRoutes = [...sessionRoutes, ...accountRoutes, ...apiKeyRoutes] as const

async function describeSession(context: Context, actor: Actor): Promise<z.input<typeof sessionSchema>> {
  const { accountId, workspaceId, role, via } = actor
  const account = accountId === undefined ? undefined : await findAccount(context.postgres, accountId)
  const workspace = await findWorkspace(context.postgres, workspaceId)
  if (workspace === undefined) throw new Problem('not_found', 'This workspace is gone.')
  const own = [{ slug: workspace.slug, name: workspace.name, role }]
  const all = accountId === undefined ? own : await listWorkspacesOf(context.postgres, accountId)
  return {
    via,
    role,
    account: account === undefined ? null : { id: account.id, email: account.email, name: account.name },
    workspace: { id: workspace.slug, name: workspace.name },
    workspaces: all.map(({ slug, name, role: itsRole }) => ({ id: slug, name, role: itsRole })),
    csrfToken: actor.session?.csrfToken ?? null,
  }
}

/** The actor that a fresh session will be. */
async function actorOf(context: Context, token: string, address: string): Promise<Actor> {
  const cookie = sessionCookie(token, false, 0)
  const actor = await authenticator(context)({
    authorization: undefined,
    cookie,
    workspace: undefined,
    address,
    isLocal: false,
  })
  if (actor === undefined) throw new Error('a session was gone as soon as it was made')
  return actor
}

/** For what only a person does, not a key. */
function needSession(actor: Actor): { accountId: string; tokenHash: Buffer } {
  if (actor.accountId === undefined || actor.session === undefined) {
    throw new Problem('forbidden', 'Only a person who signed in can do this, not an API key.')
  }
  return { accountId: actor.accountId, tokenHash: actor.session.tokenHash }
}
