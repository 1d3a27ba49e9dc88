/** SQL of a workspace's rules: each change is a version, the newest is in force. */
import { defaultIdentityRules, type IdentityRules, identityRulesSchema } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'

export interface RulesVersion {
  /** 0: the defaults, never changed. */
  version: number
  rules: IdentityRules
  createdAt: Date | null
  createdBy: string | null
}

/** The rules in force. */
export async function readRulesVersion(client: Queryable, workspaceId: number): Promise<RulesVersion> {
  const result = await client.query<RulesVersion & { rules: unknown }>(
    `
      select version, rules, created_at as "createdAt", created_by as "createdBy"
      from identity.rules where workspace_id = $1
      order by version desc limit 1`,
    [workspaceId],
  )
  const [row] = result.rows
  if (!row) return { version: 0, rules: defaultIdentityRules, createdAt: null, createdBy: null }
  return { ...row, rules: identityRulesSchema.parse(row.rules) }
}

export async function readRules(client: Queryable, workspaceId: number): Promise<IdentityRules> {
  return (await readRulesVersion(client, workspaceId)).rules
}

/** Puts new rules in force as the next version; returns its number. Two at once: the second fails on the primary key. */
export async function writeRules(
  client: Queryable,
  workspaceId: number,
  rules: IdentityRules,
  made: { at: Date; by: string },
): Promise<number> {
  const result = await client.query<{ version: number }>(
    `
      insert into identity.rules (workspace_id, version, rules, created_at, created_by)
      select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from identity.rules where workspace_id = $1
      returning version`,
    [workspaceId, JSON.stringify(rules), made.at, made.by],
  )
  return result.rows[0]?.version ?? 0
}

/** Every change, the newest first; `before` is the last version of the page before. */
export async function listRulesVersions(
  client: Queryable,
  workspaceId: number,
  before: number | undefined,
  limit: number,
): Promise<RulesVersion[]> {
  const result = await client.query<RulesVersion & { rules: unknown }>(
    `
      select version, rules, created_at as "createdAt", created_by as "createdBy"
      from identity.rules
      where workspace_id = $1 and ($2::int is null or version < $2)
      order by version desc
      limit $3`,
    [workspaceId, before ?? null, limit],
  )
  return result.rows.map(row => ({ ...row, rules: identityRulesSchema.parse(row.rules) }))
}
