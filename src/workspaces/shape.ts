/** What workspaces, users, sessions, keys and invitations look like in the API. In: rows. Out: their JSON, and its schemas. */
import { z } from 'zod'
import { workspaceRoles } from '../http/route.ts'
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from './access/password.ts'
import type { ApiKeyRow } from './access/store.ts'
import type { InvitationRow, MemberRow, WorkspaceRow } from './store.ts'

export const DEFAULT_WORKSPACE = 'default'
const NAME_CHARACTERS_MAX = 100
const EMAIL_CHARACTERS_MAX = 254

/** Control characters have no place in a name that stands in lists and mails. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(EMAIL_CHARACTERS_MAX)
  .regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u, 'must be an e-mail address')
export const passwordSchema = z.string().min(PASSWORD_CHARACTERS_MIN).max(PASSWORD_CHARACTERS_MAX)
export const roleSchema = z.enum(workspaceRoles)
export const idParams = z.object({ id: z.uuid() })
const instant = z.iso.datetime()

/** Where a page of anything ordered by time of making begins. */
export const afterSchema = z.object({ createdAt: instant, id: z.uuid() })
export const positionOf = (row: { createdAt: string; id: string }) => ({ createdAt: row.createdAt, id: row.id })

export const workspaceSchema = z
  .object({ id: z.string().describe('Readable and fixed: `default`.'), name: z.string(), createdAt: instant })
  .meta({ id: 'Workspace' })
export const workspaceOf = (row: WorkspaceRow) => ({
  id: row.slug,
  name: row.name,
  createdAt: row.createdAt.toISOString(),
})

export const userSchema = z
  .object({ id: z.uuid(), email: z.string(), name: z.string(), role: roleSchema, createdAt: instant })
  .meta({ id: 'User' })
export const userOf = (row: MemberRow) => ({
  id: row.id,
  email: row.email,
  name: row.name,
  role: row.role,
  createdAt: row.createdAt.toISOString(),
})

export const sessionSchema = z
  .object({
    via: z.enum(['session', 'api_key', 'local']),
    role: roleSchema,
    account: z.object({ id: z.uuid(), email: z.string(), name: z.string() }).nullable(),
    workspace: z.object({ id: z.string(), name: z.string() }),
    workspaces: z
      .array(z.object({ id: z.string(), name: z.string(), role: roleSchema }))
      .describe('Those one may switch to.'),
    csrfToken: z.string().nullable().describe('To be sent as x-csrf-token; null where no cookie is involved.'),
  })
  .meta({ id: 'Session' })

export const apiKeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    role: roleSchema,
    prefix: z.string().describe('How the key begins.'),
    createdAt: instant,
    lastUsedAt: instant.nullable().describe('To the minute.'),
  })
  .meta({ id: 'ApiKey' })
export const apiKeyOf = (row: ApiKeyRow) => ({
  id: row.id,
  name: row.name,
  role: row.role,
  prefix: row.prefix,
  createdAt: row.createdAt.toISOString(),
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
})

export const invitationSchema = z
  .object({ id: z.uuid(), email: z.string(), role: roleSchema, createdAt: instant, expiresAt: instant })
  .meta({ id: 'Invitation' })
export const invitationOf = (row: InvitationRow) => ({
  id: row.id,
  email: row.email,
  role: row.role,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
})
