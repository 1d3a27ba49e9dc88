/** All SQL over sources. */
import type { JsonObject } from '../spec/json.ts'
import type { Queryable } from '../store/postgres.ts'
import { all, count, first } from '../store/query.ts'
import type { Source, SourceKind } from './source.ts'

const SOURCE = `s.workspace_id as "workspaceId", s.slug, s.name, s.kind, s.write_key as "writeKey",
  s.is_enabled as "isEnabled", s.settings, s.created_at as "createdAt"`

/** Undefined when the slug or the write key is taken, in this workspace or (the key) in any. */
export const insertSource = (
  database: Queryable,
  workspaceId: number,
  source: { slug: string; name: string; kind: SourceKind; writeKey: string; settings: JsonObject; at: Date },
) =>
  first<Source>(
    database,
    `insert into sources.source as s (workspace_id, slug, name, kind, write_key, settings, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict do nothing
     returning ${SOURCE}`,
    [workspaceId, source.slug, source.name, source.kind, source.writeKey, source.settings, source.at],
  )

/** Archived ones too: events still name them. */
export const takenSlugs = async (database: Queryable, workspaceId: number) =>
  new Set(
    (
      await all<{ slug: string }>(database, 'select slug from sources.source where workspace_id = $1', [workspaceId])
    ).map(row => row.slug),
  )

export const findSource = (database: Queryable, workspaceId: number, slug: string) =>
  first<Source>(
    database,
    `select ${SOURCE} from sources.source s where s.workspace_id = $1 and s.slug = $2 and s.archived_at is null`,
    [workspaceId, slug],
  )

/** The one query over all workspaces: the key says which. Keys of archived sources and workspaces are unknown. */
export const findSourceByWriteKey = (database: Queryable, writeKey: string) =>
  first<Source>(
    database,
    `select ${SOURCE}
     from sources.source s
     join workspaces.workspace w on w.id = s.workspace_id and w.archived_at is null
     where s.write_key = $1 and s.archived_at is null`,
    [writeKey],
  )

export const listSources = (database: Queryable, workspaceId: number, page: { after: string; limit: number }) =>
  all<Source>(
    database,
    `select ${SOURCE}
     from sources.source s
     where s.workspace_id = $1 and s.slug > $2 and s.archived_at is null
     order by s.slug
     limit $3`,
    [workspaceId, page.after, page.limit],
  )

export const findSourceByName = (database: Queryable, workspaceId: number, kind: SourceKind, name: string) =>
  first<Source>(
    database,
    `select ${SOURCE}
     from sources.source s
     where s.workspace_id = $1 and s.kind = $2 and s.name = $3 and s.archived_at is null
     order by s.created_at, s.slug
     limit 1`,
    [workspaceId, kind, name],
  )

const SOURCES_LOCK = 7072

/** Until the end of the transaction nobody else looks for a source of a name in order to make it. */
export const lockSources = (database: Queryable, workspaceId: number) =>
  count(database, 'select pg_advisory_xact_lock($1, $2)', [SOURCES_LOCK, workspaceId])

export const findOldestWriteKey = async (database: Queryable, workspaceId: number) =>
  (
    await first<{ writeKey: string }>(
      database,
      `select write_key as "writeKey"
       from sources.source
       where workspace_id = $1 and kind = 'http' and archived_at is null
       order by created_at, slug
       limit 1`,
      [workspaceId],
    )
  )?.writeKey

export const updateSource = (
  database: Queryable,
  workspaceId: number,
  slug: string,
  change: { name?: string | undefined; isEnabled?: boolean | undefined; settings?: JsonObject | undefined },
) =>
  first<Source>(
    database,
    `update sources.source s
     set name = coalesce($3, s.name), is_enabled = coalesce($4, s.is_enabled), settings = coalesce($5, s.settings)
     where s.workspace_id = $1 and s.slug = $2 and s.archived_at is null
     returning ${SOURCE}`,
    [workspaceId, slug, change.name ?? null, change.isEnabled ?? null, change.settings ?? null],
  )

export const setWriteKey = (database: Queryable, workspaceId: number, slug: string, writeKey: string) =>
  first<Source>(
    database,
    `update sources.source s
     set write_key = $3
     where s.workspace_id = $1 and s.slug = $2 and s.archived_at is null
     returning ${SOURCE}`,
    [workspaceId, slug, writeKey],
  )

export const archiveSource = (database: Queryable, workspaceId: number, slug: string, at: Date) =>
  count(
    database,
    `update sources.source
     set archived_at = $3
     where workspace_id = $1 and slug = $2 and archived_at is null`,
    [workspaceId, slug, at],
  )
