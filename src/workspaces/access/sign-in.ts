/** Signing in and out. In: an e-mail and password, or a session. Out: a session, counted attempts, or a refusal that tells nothing. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../../context.ts'
import { Problem } from '../../errors.ts'
import type { WorkspaceRole } from '../../http/route.ts'
import { findAccountByEmail, listWorkspacesOf, type WorkspaceRow } from '../store.ts'
import { addressKey, emailKey } from './address.ts'
import { forgetActors, SESSION_IDLE_MS } from './authenticate.ts'
import { isPassword } from './password.ts'
import {
  deleteExpiredSessions,
  deleteFailureAt,
  deleteFailures,
  deleteOldFailures,
  deleteSession,
  deleteSessionsOf,
  insertFailures,
  insertSession,
  listFailures,
  moveSession,
} from './store.ts'
import { hashToken, TOKEN_BYTES, tokenFrom } from './token.ts'

const FAILURES_MAX = 10
const FAILURE_WINDOW_MS = 15 * 60_000

/**
 * Checks a password, at most ten wrong ones in 15 minutes for one e-mail and from one address, over all processes.
 * Returns the account's id. A wrong e-mail and a wrong password take the same work and give the same answer.
 */
export async function checkPassword(
  context: Context,
  attempt: { email: string; password: string; address: string },
): Promise<string> {
  const keys = [hashToken(emailKey(attempt.email)), hashToken(addressKey(attempt.address))] as const
  const at = await countAttempt(context, keys)
  const account = await findAccountByEmail(context.postgres, attempt.email)
  const fits = await isPassword(account?.passwordHash, attempt.password)
  if (account === undefined || !fits) throw new Problem('invalid_credentials', 'E-mail or password is wrong.')
  await deleteFailures(context.postgres, keys[0])
  await deleteFailureAt(context.postgres, keys[1], at)
  return account.id
}

/** Counted as failed before it is checked, so that many at once cannot pass the limit together. */
async function countAttempt(context: Context, keys: readonly [Buffer, Buffer]): Promise<Date> {
  const now = context.now()
  const since = new Date(now - FAILURE_WINDOW_MS)
  await refuseLocked(context, keys, FAILURES_MAX)
  const at = new Date(now)
  await deleteOldFailures(context.postgres, since)
  await insertFailures(context.postgres, [...keys], at)
  try {
    await refuseLocked(context, keys, FAILURES_MAX + 1)
  } catch (error) {
    for (const key of keys) await deleteFailureAt(context.postgres, key, at)
    throw error
  }
  return at
}

/** Throws when either key has `limit` failures in the window; says when the oldest of them will have left it. */
async function refuseLocked(context: Context, keys: readonly [Buffer, Buffer], limit: number): Promise<void> {
  const now = context.now()
  const since = new Date(now - FAILURE_WINDOW_MS)
  const failures = await Promise.all(keys.map(key => listFailures(context.postgres, key, { since, limit })))
  const oldest = failures.filter(times => times.length >= limit).map(times => times[limit - 1]?.getTime() ?? now)
  if (oldest.length === 0) return
  const waitMs = Math.max(...oldest) + FAILURE_WINDOW_MS - now
  throw new Problem('locked_out', 'Too many failed attempts. Sign-in is closed for a while.', {
    hint: 'Wait, or ask an admin to set a new password. Other sessions are not affected.',
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  })
}

/** Makes a session in the wished workspace, or the account's first. Returns the token for the cookie, kept nowhere. */
export async function openSession(context: Context, accountId: string, slug: string | undefined): Promise<string> {
  const workspaces = await listWorkspacesOf(context.postgres, accountId)
  const workspace = slug === undefined ? workspaces[0] : workspaces.find(candidate => candidate.slug === slug)
  if (workspace === undefined) {
    throw new Problem('forbidden', 'You do not belong to this workspace, or to any.', {
      hint: 'Ask an admin to invite you.',
    })
  }
  const token = tokenFrom(randomBytes(TOKEN_BYTES))
  const now = context.now()
  await deleteExpiredSessions(context.postgres, new Date(now))
  await insertSession(context.postgres, {
    tokenHash: hashToken(token),
    accountId,
    workspaceId: workspace.id,
    csrfToken: tokenFrom(randomBytes(TOKEN_BYTES)),
    at: new Date(now),
    expiresAt: new Date(now + SESSION_IDLE_MS),
  })
  return token
}

/** Moves a session to another workspace of its account; any other is `not_found`, whether it exists or not. */
export async function switchWorkspace(
  context: Context,
  session: { accountId: string; tokenHash: Buffer },
  slug: string,
): Promise<WorkspaceRow & { role: WorkspaceRole }> {
  const workspaces = await listWorkspacesOf(context.postgres, session.accountId)
  const workspace = workspaces.find(candidate => candidate.slug === slug)
  if (workspace === undefined) throw new Problem('not_found', 'You do not belong to such a workspace.')
  await moveSession(context.postgres, session.tokenHash, workspace.id)
  forgetActors(context)
  return workspace
}

export async function closeSession(context: Context, tokenHash: Buffer): Promise<void> {
  await deleteSession(context.postgres, tokenHash)
  forgetActors(context)
}

export async function closeAllSessions(context: Context, accountId: string): Promise<void> {
  await deleteSessionsOf(context.postgres, accountId)
  forgetActors(context)
}
