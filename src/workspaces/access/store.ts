/** All SQL over the ways in: sessions, API keys and failed sign-ins. */
import type { WorkspaceRole } from '../../http/route.ts'
import type { Queryable } from '../../store/postgres.ts'
import { all, count, first } from '../../store/query.ts'
import { type After, position } from '../store.ts'

export interface SessionRow {
  accountId: string
  workspaceId: number
  workspaceSlug: string
  role: WorkspaceRole
  csrfToken: string
  createdAt: Date
  lastSeenAt: Date
}

export interface ApiKeyRow {
  id: string
  name: string
  role: WorkspaceRole
  prefix: string
  createdAt: Date
  lastUsedAt: Date | null
}

const API_KEY = 'id, name, role, prefix, created_at as "createdAt", last_used_at as "lastUsedAt"'

// Sessions

export const insertSession = (
  database: Queryable,
  session: { tokenHash: Buffer; accountId: string; workspaceId: number; csrfToken: string; at: Date; expiresAt: Date },
) =>
  count(
    database,
    `insert into workspaces.session
       (token_hash, account_id, workspace_id, csrf_token, created_at, last_seen_at, expires_at)
     values ($1, $2, $3, $4, $5, $5, $6)`,
    [session.tokenHash, session.accountId, session.workspaceId, session.csrfToken, session.at, session.expiresAt],
  )

/** Only while its workspace is there and its account still a member. */
export const findSession = (database: Queryable, tokenHash: Buffer, now: Date) =>
  first<SessionRow>(
    database,
    `select s.account_id as "accountId", s.workspace_id as "workspaceId", w.slug as "workspaceSlug", m.role,
       s.csrf_token as "csrfToken", s.created_at as "createdAt", s.last_seen_at as "lastSeenAt"
     from workspaces.session s
     join workspaces.workspace w on w.id = s.workspace_id and w.archived_at is null
     join workspaces.membership m on m.workspace_id = s.workspace_id and m.account_id = s.account_id
     where s.token_hash = $1 and s.expires_at > $2`,
    [tokenHash, now],
  )

export const extendSession = (database: Queryable, tokenHash: Buffer, now: Date, expiresAt: Date) =>
  count(database, 'update workspaces.session set last_seen_at = $2, expires_at = $3 where token_hash = $1', [
    tokenHash,
    now,
    expiresAt,
  ])

export const moveSession = (database: Queryable, tokenHash: Buffer, workspaceId: number) =>
  count(database, 'update workspaces.session set workspace_id = $2 where token_hash = $1', [tokenHash, workspaceId])

export const deleteSession = (database: Queryable, tokenHash: Buffer) =>
  count(database, 'delete from workspaces.session where token_hash = $1', [tokenHash])

export const deleteSessionsOf = (database: Queryable, accountId: string) =>
  count(database, 'delete from workspaces.session where account_id = $1', [accountId])

export const deleteExpiredSessions = (database: Queryable, now: Date) =>
  count(database, 'delete from workspaces.session where expires_at <= $1', [now])

// API keys

export const insertApiKey = (
  database: Queryable,
  workspaceId: number,
  key: { id: string; name: string; role: WorkspaceRole; prefix: string; keyHash: Buffer; at: Date },
) =>
  first<ApiKeyRow>(
    database,
    `insert into workspaces.api_key (workspace_id, id, name, role, prefix, key_hash, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (key_hash) do nothing
     returning ${API_KEY}`,
    [workspaceId, key.id, key.name, key.role, key.prefix, key.keyHash, key.at],
  )

export const findApiKeyByHash = (database: Queryable, keyHash: Buffer) =>
  first<{ id: string; workspaceId: number; workspaceSlug: string; role: WorkspaceRole; lastUsedAt: Date | null }>(
    database,
    `select k.id, k.workspace_id as "workspaceId", w.slug as "workspaceSlug", k.role, k.last_used_at as "lastUsedAt"
     from workspaces.api_key k
     join workspaces.workspace w on w.id = k.workspace_id and w.archived_at is null
     where k.key_hash = $1 and k.revoked_at is null`,
    [keyHash],
  )

export const touchApiKey = (database: Queryable, workspaceId: number, id: string, now: Date) =>
  count(database, 'update workspaces.api_key set last_used_at = $3 where workspace_id = $1 and id = $2', [
    workspaceId,
    id,
    now,
  ])

export const listApiKeys = (database: Queryable, workspaceId: number, page: { after: After; limit: number }) =>
  all<ApiKeyRow>(
    database,
    `select ${API_KEY}
     from workspaces.api_key
     where workspace_id = $1 and revoked_at is null and (created_at, id) > ($2, $3)
     order by created_at, id
     limit $4`,
    [workspaceId, ...position(page.after), page.limit],
  )

export const revokeApiKey = (database: Queryable, workspaceId: number, id: string, at: Date) =>
  count(
    database,
    'update workspaces.api_key set revoked_at = $3 where workspace_id = $1 and id = $2 and revoked_at is null',
    [workspaceId, id, at],
  )

// Failed sign-ins

/** The newest first, so that the tenth tells how long to wait. */
export const listFailures = async (database: Queryable, keyHash: Buffer, page: { since: Date; limit: number }) =>
  (
    await all<{ at: Date }>(
      database,
      `select at from workspaces.sign_in_failure where key_hash = $1 and at > $2 order by at desc limit $3`,
      [keyHash, page.since, page.limit],
    )
  ).map(row => row.at)

export const insertFailures = (database: Queryable, keyHashes: Buffer[], at: Date) =>
  count(
    database,
    'insert into workspaces.sign_in_failure (key_hash, at) select key_hash, $2 from unnest($1::bytea[]) as key_hash',
    [keyHashes, at],
  )

export const deleteFailures = (database: Queryable, keyHash: Buffer) =>
  count(database, 'delete from workspaces.sign_in_failure where key_hash = $1', [keyHash])

/** Takes one attempt back that turned out to be good. */
export const deleteFailureAt = (database: Queryable, keyHash: Buffer, at: Date) =>
  count(
    database,
    `delete from workspaces.sign_in_failure
     where ctid = (select ctid from workspaces.sign_in_failure where key_hash = $1 and at = $2 order by at limit 1)`,
    [keyHash, at],
  )

export const deleteOldFailures = (database: Queryable, before: Date) =>
  count(database, 'delete from workspaces.sign_in_failure where at <= $1', [before])
