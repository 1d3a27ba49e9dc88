/** What a fresh installation needs to be of use. In: settings. Out: a workspace, its admin, a source and perhaps an API key. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { createSource, firstWriteKey } from '../sources/index.ts'
import { type Connection, transaction } from '../store/postgres.ts'
import { hashPassword } from './access/password.ts'
import { insertApiKey } from './access/store.ts'
import { hashToken, shownPrefix, tokenFrom } from './access/token.ts'
import { IDENTITY_KEY_BYTES } from './manage.ts'
import { DEFAULT_WORKSPACE } from './shape.ts'
import { findWorkspaceBySlug, insertAccount, insertMembership, insertWorkspace, lockWorkspaces } from './store.ts'

const ADMIN_EMAIL = 'admin@localhost'
/** 120 bits. */
const PASSWORD_BYTES = 15

export interface FirstStart {
  /** True when this call made the workspace. */
  isNew: boolean
  workspaceId: number
  /** Of the first admin; known only to the call that made the account. */
  adminEmail?: string
  /** Only when it was generated: shown once, stored as a hash. */
  adminPassword?: string
  /** Of the oldest source of the default workspace; undefined when it has none any more. */
  writeKey: string | undefined
}

/** Safe to call at every start, and by several processes at once: the second changes nothing. */
export async function firstStart(context: Context): Promise<FirstStart> {
  const { adminEmail = ADMIN_EMAIL, adminPassword, apiKey, writeKey } = context.config.first
  const known = await findWorkspaceBySlug(context.postgres, DEFAULT_WORKSPACE)
  if (known !== undefined) return notNew(context, known.id)

  const password = adminPassword ?? tokenFrom(randomBytes(PASSWORD_BYTES))
  const passwordHash = await hashPassword(password)
  return transaction(context.postgres, async client => {
    await lockWorkspaces(client)
    const meanwhile = await findWorkspaceBySlug(client, DEFAULT_WORKSPACE)
    if (meanwhile !== undefined) return notNew(context, meanwhile.id)
    const at = new Date(context.now())
    const identityKey = randomBytes(IDENTITY_KEY_BYTES)
    const workspace = await insertWorkspace(client, { slug: DEFAULT_WORKSPACE, name: 'Default', identityKey, at })
    if (workspace === undefined) throw new Error('the default workspace was archived by hand')
    const account = { id: context.uuid(), email: adminEmail.toLowerCase(), name: 'Admin', passwordHash, at }
    await insertAccount(client, account)
    await insertMembership(client, workspace.id, { accountId: account.id, role: 'admin', at })
    if (apiKey !== undefined) await keepApiKey(context, client, workspace.id, apiKey)
    const source = await createSource(context, client, workspace.id, {
      name: 'Website',
      kind: 'http',
      ...(writeKey === undefined ? {} : { writeKey }),
    })
    return {
      isNew: true,
      workspaceId: workspace.id,
      adminEmail: account.email,
      ...(adminPassword === undefined ? { adminPassword: password } : {}),
      writeKey: source.writeKey,
    }
  })
}

async function notNew(context: Context, workspaceId: number): Promise<FirstStart> {
  return { isNew: false, workspaceId, writeKey: await firstWriteKey(context.postgres, workspaceId) }
}

const keepApiKey = (context: Context, client: Connection, workspaceId: number, key: string) =>
  insertApiKey(client, workspaceId, {
    id: context.uuid(),
    name: 'THROUGHLINE_API_KEY',
    role: 'admin',
    prefix: shownPrefix(key),
    keyHash: hashToken(key),
    at: new Date(context.now()),
  })
