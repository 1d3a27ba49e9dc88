/** Who belongs where. In: a wish of an admin, already permitted. Out: workspaces, members and invitations changed, or a problem. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { WorkspaceRole } from '../http/route.ts'
import { forgetSources } from '../sources/index.ts'
import { freeSlug, slugFrom } from '../spec/slug.ts'
import { type Connection, transaction } from '../store/postgres.ts'
import { forgetActors } from './access/authenticate.ts'
import { hashPassword } from './access/password.ts'
import { deleteSessionsOf } from './access/store.ts'
import { hashToken, TOKEN_BYTES, tokenFrom } from './access/token.ts'
import { DEFAULT_WORKSPACE } from './shape.ts'
import {
  archiveWorkspace as archiveRow,
  deleteAccountWithoutWorkspace,
  deleteInvitation,
  deleteMembership,
  findAccountByEmail,
  findInvitationByHash,
  findMember,
  type InvitationRow,
  insertAccount,
  insertInvitation,
  insertMembership,
  insertWorkspace,
  listWorkspacesOf,
  lockAdmins,
  lockWorkspaces,
  type MemberRow,
  setMemberRole,
  setPasswordHash,
  takenWorkspaceSlugs,
  type WorkspaceRow,
} from './store.ts'

export const IDENTITY_KEY_BYTES = 32
const INVITATION_MS = 7 * 86_400_000

/** Makes a workspace with a secret of its own; the accounts become its admins. `slug` is only a wish. */
export async function createWorkspace(
  context: Context,
  wish: { name: string; slug?: string; adminIds: readonly string[] },
): Promise<WorkspaceRow> {
  return transaction(context.postgres, async client => {
    await lockWorkspaces(client)
    const slug = freeSlug(wish.slug ?? slugFrom(wish.name, 'workspace'), await takenWorkspaceSlugs(client))
    const at = new Date(context.now())
    const identityKey = randomBytes(IDENTITY_KEY_BYTES)
    const workspace = await insertWorkspace(client, { slug, name: wish.name, identityKey, at })
    if (workspace === undefined) throw new Error('a free slug was taken under the lock')
    for (const accountId of wish.adminIds)
      await insertMembership(client, workspace.id, { accountId, role: 'admin', at })
    return workspace
  })
}

/** Its data stay, but nobody gets in and nothing is collected any more. */
export async function archiveWorkspace(context: Context, workspace: { id: number; slug: string }): Promise<void> {
  if (workspace.slug === DEFAULT_WORKSPACE) throw new Problem('conflict', 'The default workspace cannot be archived.')
  await archiveRow(context.postgres, workspace.id, new Date(context.now()))
  forgetActors(context)
  forgetSources(context)
}

/** A new account as a member. An e-mail that has an account already must be invited: only its owner may bring it in. */
export async function createUser(
  context: Context,
  workspaceId: number,
  user: { email: string; name: string; role: WorkspaceRole; password: string },
): Promise<MemberRow> {
  const passwordHash = await hashPassword(user.password)
  return transaction(context.postgres, async client => {
    const id = context.uuid()
    const at = new Date(context.now())
    if (!(await insertAccount(client, { id, email: user.email, name: user.name, passwordHash, at }))) {
      throw new Problem('conflict', 'This e-mail has an account already.', {
        hint: 'Invite it with POST /api/v1/invitations; its owner joins with the password it has.',
      })
    }
    await insertMembership(client, workspaceId, { accountId: id, role: user.role, at })
    return found(await findMember(client, workspaceId, id))
  })
}

export async function changeRole(
  context: Context,
  workspaceId: number,
  accountId: string,
  role: WorkspaceRole,
): Promise<MemberRow> {
  const member = await transaction(context.postgres, async client => {
    if (role !== 'admin') await refuseLastAdmin(client, workspaceId, accountId)
    await setMemberRole(client, workspaceId, accountId, role)
    return found(await findMember(client, workspaceId, accountId))
  })
  forgetActors(context)
  return member
}

/** Ends the membership and its sessions; an account that belongs nowhere any more is forgotten. */
export async function removeUser(context: Context, workspaceId: number, accountId: string): Promise<void> {
  await transaction(context.postgres, async client => {
    await refuseLastAdmin(client, workspaceId, accountId)
    found(await findMember(client, workspaceId, accountId))
    await deleteMembership(client, workspaceId, accountId)
    await deleteAccountWithoutWorkspace(client, accountId)
  })
  forgetActors(context)
}

async function refuseLastAdmin(client: Connection, workspaceId: number, accountId: string): Promise<void> {
  const admins = await lockAdmins(client, workspaceId)
  if (admins.length === 1 && admins[0] === accountId) {
    throw new Problem('conflict', 'This is the last admin of the workspace.', {
      hint: 'Make someone else an admin first.',
    })
  }
}

/** For someone who forgot it. Refused where the account has another workspace, into which this admin must not reach. */
export async function resetPassword(
  context: Context,
  workspaceId: number,
  accountId: string,
  password: string,
): Promise<void> {
  const passwordHash = await hashPassword(password)
  await transaction(context.postgres, async client => {
    found(await findMember(client, workspaceId, accountId))
    const workspaces = await listWorkspacesOf(client, accountId)
    if (workspaces.some(workspace => workspace.id !== workspaceId)) {
      throw new Problem(
        'forbidden',
        'This account belongs to another workspace too, so only its owner sets its password.',
      )
    }
    await setPasswordHash(client, accountId, passwordHash)
    await deleteSessionsOf(client, accountId)
  })
  forgetActors(context)
}

/** Returns the token once; whoever holds it may join. */
export async function invite(
  context: Context,
  workspaceId: number,
  wish: { email: string; role: WorkspaceRole },
): Promise<{ invitation: InvitationRow; token: string }> {
  const token = tokenFrom(randomBytes(TOKEN_BYTES))
  const now = context.now()
  const invitation = await insertInvitation(context.postgres, workspaceId, {
    id: context.uuid(),
    email: wish.email,
    role: wish.role,
    tokenHash: hashToken(token),
    at: new Date(now),
    expiresAt: new Date(now + INVITATION_MS),
  })
  return { invitation: found(invitation), token }
}

/** Whose invitation it is, before anything is done with it. */
export async function readInvitation(context: Context, token: string): Promise<InvitationRow> {
  return found(await findInvitationByHash(context.postgres, hashToken(token), new Date(context.now())), staleToken)
}

/**
 * Makes the invited person a member: with the account that `accountId` proved to own, or a new one. The token is
 * spent in the same transaction.
 */
export async function acceptInvitation(
  context: Context,
  token: string,
  person: { accountId: string } | { name: string; password: string },
): Promise<void> {
  const passwordHash = 'password' in person ? await hashPassword(person.password) : undefined
  await transaction(context.postgres, async client => {
    const at = new Date(context.now())
    const invitation = found(await findInvitationByHash(client, hashToken(token), at), staleToken)
    const accountId = 'accountId' in person ? person.accountId : context.uuid()
    if ('name' in person && passwordHash !== undefined) {
      const account = { id: accountId, email: invitation.email, name: person.name, passwordHash, at }
      if (!(await insertAccount(client, account)))
        throw new Problem('conflict', 'This e-mail got an account meanwhile.')
    }
    await insertMembership(client, invitation.workspaceId, { accountId, role: invitation.role, at })
    await deleteInvitation(client, invitation.workspaceId, invitation.id)
  })
  forgetActors(context)
}

export const hasAccount = async (context: Context, email: string): Promise<boolean> =>
  (await findAccountByEmail(context.postgres, email)) !== undefined

function found<T>(value: T | undefined, problem = notFound): T {
  if (value === undefined) throw problem()
  return value
}
const notFound = () => new Problem('not_found', 'There is no such user in this workspace.')
const staleToken = () =>
  new Problem('not_found', 'This invitation is not valid, or not any more.', { hint: 'Ask for a new one.' })
