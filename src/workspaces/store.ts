/** All SQL over workspaces, accounts, memberships and invitations. */
import type { WorkspaceRole } from '../http/route.ts'
import type { Queryable } from '../store/postgres.ts'
import { all, count, first } from '../store/query.ts'

export interface WorkspaceRow {
  id: number
  slug: string
  name: string
  createdAt: Date
}
export interface MemberRow {
  id: string
  email: string
  name: string
  role: WorkspaceRole
  createdAt: Date
}
export interface InvitationRow {
  id: string
  email: string
  role: WorkspaceRole
  createdAt: Date
  expiresAt: Date
}
/** Where the next page begins: lists are ordered by time of making, then id. */
export type After = { createdAt: string; id: string } | undefined

const WORKSPACE = 'w.id, w.slug, w.name, w.created_at as "createdAt"'
const MEMBER = 'a.id, a.email, a.name, m.role, m.created_at as "createdAt"'
const INVITATION = 'id, email, role, created_at as "createdAt", expires_at as "expiresAt"'

/** For `(created_at, id) > ($2, $3)`. */
export const position = (after: After) => [
  after?.createdAt ?? '-infinity',
  after?.id ?? '00000000-0000-0000-0000-000000000000',
]

// Workspaces

/** One maker of workspaces at a time, so that two first starts at once make one default workspace. */
export const lockWorkspaces = (database: Queryable) =>
  count(database, 'lock table workspaces.workspace in share row exclusive mode', [])

export const insertWorkspace = (
  database: Queryable,
  workspace: { slug: string; name: string; identityKey: Buffer; at: Date },
) =>
  first<WorkspaceRow>(
    database,
    `insert into workspaces.workspace as w (slug, name, identity_key, created_at)
     values ($1, $2, $3, $4)
     on conflict do nothing
     returning ${WORKSPACE}`,
    [workspace.slug, workspace.name, workspace.identityKey, workspace.at],
  )

export const findWorkspace = (database: Queryable, workspaceId: number) =>
  first<WorkspaceRow>(
    database,
    `select ${WORKSPACE} from workspaces.workspace w where w.id = $1 and w.archived_at is null`,
    [workspaceId],
  )

export const findWorkspaceBySlug = (database: Queryable, slug: string) =>
  first<WorkspaceRow>(
    database,
    `select ${WORKSPACE} from workspaces.workspace w where w.slug = $1 and w.archived_at is null`,
    [slug],
  )

export const takenWorkspaceSlugs = async (database: Queryable) =>
  new Set((await all<{ slug: string }>(database, 'select slug from workspaces.workspace', [])).map(row => row.slug))

export const renameWorkspace = (database: Queryable, workspaceId: number, name: string) =>
  count(database, 'update workspaces.workspace set name = $2 where id = $1', [workspaceId, name])

/** Its sessions end with it; its keys and sources are refused because it is archived. */
export async function archiveWorkspace(database: Queryable, workspaceId: number, at: Date): Promise<void> {
  await database.query('update workspaces.workspace set archived_at = $2 where id = $1', [workspaceId, at])
  await database.query('delete from workspaces.session where workspace_id = $1', [workspaceId])
}

export const listWorkspacesOf = (database: Queryable, accountId: string) =>
  all<WorkspaceRow & { role: WorkspaceRole }>(
    database,
    `select ${WORKSPACE}, m.role
     from workspaces.membership m
     join workspaces.workspace w on w.id = m.workspace_id
     where m.account_id = $1 and w.archived_at is null
     order by m.created_at, w.id`,
    [accountId],
  )

// Accounts and memberships

export const findAccountByEmail = (database: Queryable, email: string) =>
  first<{ id: string; passwordHash: string }>(
    database,
    'select id, password_hash as "passwordHash" from workspaces.account where email = $1',
    [email],
  )

export const findAccount = (database: Queryable, accountId: string) =>
  first<{ id: string; email: string; name: string; passwordHash: string }>(
    database,
    'select id, email, name, password_hash as "passwordHash" from workspaces.account where id = $1',
    [accountId],
  )

/** False when the e-mail has an account already. */
export const insertAccount = async (
  database: Queryable,
  account: { id: string; email: string; name: string; passwordHash: string; at: Date },
) =>
  (await count(
    database,
    `insert into workspaces.account (id, email, name, password_hash, created_at)
     values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [account.id, account.email, account.name, account.passwordHash, account.at],
  )) > 0

export const renameAccount = (database: Queryable, accountId: string, name: string) =>
  count(database, 'update workspaces.account set name = $2 where id = $1', [accountId, name])

export const setPasswordHash = (database: Queryable, accountId: string, passwordHash: string) =>
  count(database, 'update workspaces.account set password_hash = $2 where id = $1', [accountId, passwordHash])

/** Forgets an account that no workspace has any more. */
export const deleteAccountWithoutWorkspace = (database: Queryable, accountId: string) =>
  count(
    database,
    `delete from workspaces.account a
     where a.id = $1 and not exists (select from workspaces.membership m where m.account_id = a.id)`,
    [accountId],
  )

/** False when the account is a member already. */
export const insertMembership = async (
  database: Queryable,
  workspaceId: number,
  member: { accountId: string; role: WorkspaceRole; at: Date },
) =>
  (await count(
    database,
    `insert into workspaces.membership (workspace_id, account_id, role, created_at)
     values ($1, $2, $3, $4)
     on conflict do nothing`,
    [workspaceId, member.accountId, member.role, member.at],
  )) > 0

export const listMembers = (database: Queryable, workspaceId: number, page: { after: After; limit: number }) =>
  all<MemberRow>(
    database,
    `select ${MEMBER}
     from workspaces.membership m
     join workspaces.account a on a.id = m.account_id
     where m.workspace_id = $1 and (m.created_at, a.id) > ($2, $3)
     order by m.created_at, a.id
     limit $4`,
    [workspaceId, ...position(page.after), page.limit],
  )

export const findMember = (database: Queryable, workspaceId: number, accountId: string) =>
  first<MemberRow>(
    database,
    `select ${MEMBER}
     from workspaces.membership m
     join workspaces.account a on a.id = m.account_id
     where m.workspace_id = $1 and a.id = $2`,
    [workspaceId, accountId],
  )

/** The ids of a workspace's admins, held until the transaction ends: two removals at once cannot take the last two. */
export const lockAdmins = async (database: Queryable, workspaceId: number) =>
  (
    await all<{ id: string }>(
      database,
      `select account_id as id
       from workspaces.membership
       where workspace_id = $1 and role = 'admin'
       order by account_id
       for update`,
      [workspaceId],
    )
  ).map(row => row.id)

export const setMemberRole = (database: Queryable, workspaceId: number, accountId: string, role: WorkspaceRole) =>
  count(database, 'update workspaces.membership set role = $3 where workspace_id = $1 and account_id = $2', [
    workspaceId,
    accountId,
    role,
  ])

/** The member's sessions in this workspace end with it. */
export async function deleteMembership(database: Queryable, workspaceId: number, accountId: string): Promise<void> {
  const values = [workspaceId, accountId]
  await database.query('delete from workspaces.session where workspace_id = $1 and account_id = $2', values)
  await database.query('delete from workspaces.membership where workspace_id = $1 and account_id = $2', values)
}

// Invitations

export const insertInvitation = (
  database: Queryable,
  workspaceId: number,
  invitation: { id: string; email: string; role: WorkspaceRole; tokenHash: Buffer; at: Date; expiresAt: Date },
) =>
  first<InvitationRow>(
    database,
    `insert into workspaces.invitation (workspace_id, id, email, role, token_hash, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning ${INVITATION}`,
    [
      workspaceId,
      invitation.id,
      invitation.email,
      invitation.role,
      invitation.tokenHash,
      invitation.at,
      invitation.expiresAt,
    ],
  )

export const listInvitations = (
  database: Queryable,
  workspaceId: number,
  page: { after: After; limit: number; now: Date },
) =>
  all<InvitationRow>(
    database,
    `select ${INVITATION}
     from workspaces.invitation
     where workspace_id = $1 and expires_at > $5 and (created_at, id) > ($2, $3)
     order by created_at, id
     limit $4`,
    [workspaceId, ...position(page.after), page.limit, page.now],
  )

/** Held until the transaction ends, so that one token cannot be used twice at once. Those of archived workspaces are void. */
export const findInvitationByHash = (database: Queryable, tokenHash: Buffer, now: Date) =>
  first<InvitationRow & { workspaceId: number }>(
    database,
    `select ${INVITATION}, workspace_id as "workspaceId"
     from workspaces.invitation
     where token_hash = $1 and expires_at > $2
       and workspace_id in (select w.id from workspaces.workspace w where w.archived_at is null)
     for update`,
    [tokenHash, now],
  )

export const deleteInvitation = (database: Queryable, workspaceId: number, id: string) =>
  count(database, 'delete from workspaces.invitation where workspace_id = $1 and id = $2', [workspaceId, id])

/** The secret under which this workspace's profile ids are keyed hashes; 32 bytes. */
export const findIdentityKey = async (database: Queryable, workspaceId: number) =>
  (
    await first<{ identityKey: Buffer }>(
      database,
      'select identity_key as "identityKey" from workspaces.workspace where id = $1',
      [workspaceId],
    )
  )?.identityKey
