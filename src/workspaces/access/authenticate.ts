/** Who asks? In: an API key, a session cookie or the data folder's socket. Out: the actor, remembered for a few seconds. */
import type { Context } from '../../context.ts'
import { Problem } from '../../errors.ts'
import type { Authenticate, Credentials } from '../../http/api.ts'
import { Buckets } from '../../http/bucket.ts'
import { Recent } from '../../http/recent.ts'
import type { Actor, WorkspaceRole } from '../../http/route.ts'
import type { Postgres } from '../../store/postgres.ts'
import { DEFAULT_WORKSPACE } from '../shape.ts'
import { findWorkspaceBySlug } from '../store.ts'
import { addressKey } from './address.ts'
import { readSessionCookie } from './cookie.ts'
import { extendSession, findApiKeyByHash, findSession, touchApiKey } from './store.ts'
import { hashToken } from './token.ts'

/** How long another process may still honour a key or session that was ended here; this process forgets at once. */
const REMEMBER_MS = 5_000
const REMEMBERED_MAX = 10_000
/** Wrong keys from one address; each costs a look into the database. */
const GUESS_LIMITS = { perSecond: 20, burst: 100, callersMax: 10_000 }
const TOKEN_CHARACTERS_MAX = 512
const LAST_USED_EVERY_MS = 60_000
const LAST_SEEN_EVERY_MS = 3_600_000

const DAY_MS = 86_400_000
export const SESSION_IDLE_MS = 14 * DAY_MS
export const SESSION_TOTAL_MS = 90 * DAY_MS

interface Memory {
  actors: Recent<Actor | null>
  guesses: Buckets
  /** Counts what was forgotten, so that a look-up that began before does not bring it back. */
  epoch: number
}
const memories = new WeakMap<Postgres, Memory>()

function memoryOf(context: Context): Memory {
  const known = memories.get(context.postgres)
  if (known !== undefined) return known
  const memory = {
    actors: new Recent<Actor | null>({ lifetimeMs: REMEMBER_MS, entriesMax: REMEMBERED_MAX }),
    guesses: new Buckets(GUESS_LIMITS),
    epoch: 0,
  }
  memories.set(context.postgres, memory)
  return memory
}

/** To be called after every change to keys, sessions, roles, memberships or workspaces. */
export function forgetActors(context: Context): void {
  const memory = memoryOf(context)
  memory.epoch += 1
  memory.actors.clear()
}

/** A sign-in that has ended counts as none; a wrong API key is the problem `invalid_credentials`. */
export function authenticator(context: Context): Authenticate {
  return credentials => {
    const { authorization, cookie } = credentials
    if (authorization !== undefined) return fromApiKey(context, authorization, credentials)
    if (credentials.isLocal) return fromSocket(context, credentials.workspace ?? DEFAULT_WORKSPACE)
    const token = readSessionCookie(cookie)
    return token === undefined ? undefined : fromSession(context, token, credentials.address)
  }
}

function fromApiKey(context: Context, authorization: string, { address }: Credentials): Actor | Promise<Actor> {
  const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  if (key === undefined || key.length > TOKEN_CHARACTERS_MAX) throw wrongKey()
  const found = recall(context, `key:${hashToken(key).toString('base64')}`, address, () => lookUpKey(context, key))
  return found instanceof Promise ? found.then(actor => actor ?? fail(wrongKey())) : (found ?? fail(wrongKey()))
}

async function fromSession(context: Context, token: string, address: string): Promise<Actor | undefined> {
  if (token.length > TOKEN_CHARACTERS_MAX) return undefined
  const tokenHash = hashToken(token)
  const remembered = `session:${tokenHash.toString('base64')}`
  return (await recall(context, remembered, address, () => lookUpSession(context, tokenHash))) ?? undefined
}

/** Whoever can open the socket owns the data folder, and with it everything: any workspace, as admin. */
async function fromSocket(context: Context, slug: string): Promise<Actor> {
  const workspace = await findWorkspaceBySlug(context.postgres, slug)
  if (workspace === undefined) throw new Problem('not_found', `There is no workspace ${JSON.stringify(slug)}.`)
  return { workspaceId: workspace.id, workspaceSlug: workspace.slug, role: 'admin', isOperator: true, via: 'local' }
}

/** Answers from memory, or looks up and remembers, misses too. Unknown tokens in quick succession are refused unlooked. */
function recall(
  context: Context,
  token: string,
  address: string,
  lookUp: () => Promise<Actor | null>,
): Actor | null | Promise<Actor | null> {
  const memory = memoryOf(context)
  const now = context.now()
  const known = memory.actors.get(token, now)
  if (known !== undefined) return known
  const caller = addressKey(address)
  if (!memory.actors.knows(token) && memory.guesses.isEmpty(caller, now)) throw tooManyGuesses()
  const epoch = memory.epoch
  return lookUp().then(actor => {
    if (actor === null) memory.guesses.take(caller, now)
    if (memory.epoch === epoch) memory.actors.set(token, actor, now)
    return actor
  })
}

async function lookUpKey(context: Context, key: string): Promise<Actor | null> {
  const row = await findApiKeyByHash(context.postgres, hashToken(key))
  if (row === undefined) return null
  const now = context.now()
  if (now - (row.lastUsedAt?.getTime() ?? 0) > LAST_USED_EVERY_MS) {
    await touchApiKey(context.postgres, row.workspaceId, row.id, new Date(now))
  }
  const { workspaceId, workspaceSlug, role } = row
  return { workspaceId, workspaceSlug, role, isOperator: isOperator(row), via: 'api_key', apiKeyId: row.id }
}

async function lookUpSession(context: Context, tokenHash: Buffer): Promise<Actor | null> {
  const now = context.now()
  const row = await findSession(context.postgres, tokenHash, new Date(now))
  if (row === undefined) return null
  if (now - row.lastSeenAt.getTime() > LAST_SEEN_EVERY_MS) {
    const expiresAt = Math.min(now + SESSION_IDLE_MS, row.createdAt.getTime() + SESSION_TOTAL_MS)
    await extendSession(context.postgres, tokenHash, new Date(now), new Date(expiresAt))
  }
  const { workspaceId, workspaceSlug, role, accountId, csrfToken } = row
  const session = { tokenHash, csrfToken }
  return { workspaceId, workspaceSlug, role, isOperator: isOperator(row), via: 'session', accountId, session }
}

/** The admins of the workspace that came with the installation run the installation. */
const isOperator = (row: { workspaceSlug: string; role: WorkspaceRole }) =>
  row.workspaceSlug === DEFAULT_WORKSPACE && row.role === 'admin'

function fail(problem: Problem): never {
  throw problem
}
const wrongKey = () =>
  new Problem('invalid_credentials', 'This API key is not known, or was revoked.', {
    hint: 'Send `Authorization: Bearer <API key>` with a key of /api/v1/api-keys.',
  })
const tooManyGuesses = () =>
  new Problem('rate_limited', 'Too many wrong keys from this address.', { retryAfterSeconds: 1 })
