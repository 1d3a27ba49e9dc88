/** All SQL of imports. */
import type { JsonObject } from '../spec/json.ts'
import type { Queryable } from '../store/postgres.ts'
import { all, count, first } from '../store/query.ts'
import type { Counts, FileFormat, ImportRow, ImportState, ImportSummaryRow } from './import.ts'
import type { Checkpoint } from './read.ts'

const SUMMARY = `workspace_id as "workspaceId", id, name, source, state, file_name as "fileName",
  file_bytes as "fileBytes", rejects_bytes as "rejectsBytes", rows, events, stored, deduplicated, rejected, rejected_by_reason as "rejectedByReason", bytes_read as "bytesRead",
  error_code as "errorCode", error_message as "errorMessage", attempt, is_stop_requested as "isStopRequested",
  resumed_at as "resumedAt", resumed_rows as "resumedRows", resumed_bytes as "resumedBytes",
  progressed_at as "progressedAt", created_by as "createdBy", created_at as "createdAt", started_at as "startedAt",
  finished_at as "finishedAt", is_file_removed as "isFileRemoved"`
const IMPORT = `${SUMMARY}, mapping, lookups, format, checkpoint`

/** From the first row again: what was counted belongs to another file, another mapping or another run. */
const AFRESH = `checkpoint = null, format = null, rejects_bytes = 0, rows = 0, events = 0, stored = 0, deduplicated = 0,
  rejected = 0, rejected_by_reason = '{}', bytes_read = 0, error_code = null, error_message = null,
  started_at = null, finished_at = null, resumed_at = null, progressed_at = null`

const IDLE = `state in ('created', 'done', 'failed', 'stopped')`

export const insertImport = (
  database: Queryable,
  workspaceId: number,
  item: { id: string; name: string; source: string | null; mapping: unknown; createdBy: string | null; at: Date },
) =>
  first<ImportRow>(
    database,
    `insert into imports.import (workspace_id, id, name, source, mapping, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning ${IMPORT}`,
    [workspaceId, item.id, item.name, item.source, jsonText(item.mapping), item.createdBy, item.at],
  )

export const findImport = (database: Queryable, workspaceId: number, id: string) =>
  first<ImportRow>(database, `select ${IMPORT} from imports.import where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ])

/** Newest first. */
export const listImports = (
  database: Queryable,
  workspaceId: number,
  page: { after: { createdAt: string; id: string } | undefined; limit: number; state: ImportState | undefined },
) =>
  all<ImportSummaryRow>(
    database,
    `select ${SUMMARY}
     from imports.import
     where workspace_id = $1
       and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
       and ($4::text is null or state = $4)
     order by created_at desc, id desc
     limit $5`,
    [workspaceId, page.after?.createdAt ?? null, page.after?.id ?? null, page.state ?? null, page.limit],
  )

/** Undefined while it waits or runs: then nothing of it may be changed. */
export const changeImport = (
  database: Queryable,
  workspaceId: number,
  id: string,
  change: { name?: string | undefined; source?: string | undefined; mapping?: unknown },
) =>
  first<ImportRow>(
    database,
    `update imports.import
     set name = coalesce($3, name), source = coalesce($4, source), mapping = coalesce($5::json, mapping)
       ${change.mapping === undefined && change.source === undefined ? '' : `, state = 'created', ${AFRESH}`}
     where workspace_id = $1 and id = $2 and ${IDLE}
     returning ${IMPORT}`,
    [workspaceId, id, change.name ?? null, change.source ?? null, jsonText(change.mapping)],
  )

export const setFile = (database: Queryable, workspaceId: number, id: string, file: { name: string; bytes: number }) =>
  first<ImportRow>(
    database,
    `update imports.import
     set file_name = $3, file_bytes = $4, is_file_removed = false, state = 'created', ${AFRESH}
     where workspace_id = $1 and id = $2 and ${IDLE}
     returning ${IMPORT}`,
    [workspaceId, id, file.name, file.bytes],
  )

export const setLookup = (
  database: Queryable,
  workspaceId: number,
  id: string,
  lookup: { as: string; name: string; bytes: number },
) =>
  first<ImportRow>(
    database,
    `update imports.import
     set lookups = (lookups::jsonb || jsonb_build_object($3::text, jsonb_build_object('name', $4::text, 'bytes', $5::bigint)))::json,
       state = 'created', ${AFRESH}
     where workspace_id = $1 and id = $2 and ${IDLE}
     returning ${IMPORT}`,
    [workspaceId, id, lookup.as, lookup.name, lookup.bytes],
  )

/** One that is done begins again; one that was interrupted goes on; one that waits or runs is left alone. */
export const queueImport = (
  database: Queryable,
  workspaceId: number,
  id: string,
  order: { at: Date; source: string; isAfresh: boolean },
) =>
  count(
    database,
    `update imports.import
     set state = 'queued', source = $4, queued_at = $3, is_stop_requested = false, error_code = null, error_message = null,
       finished_at = null ${order.isAfresh ? `, ${AFRESH}` : ''}
     where workspace_id = $1 and id = $2 and ${IDLE}`,
    [workspaceId, id, order.at, order.source],
  )

/** What runs is asked to stop; what nobody works on any more (no sign of life since `lostBefore`) stands still at once. */
export const stopImport = (database: Queryable, workspaceId: number, id: string, at: Date, lostBefore: Date) =>
  first<ImportRow>(
    database,
    `update imports.import
     set is_stop_requested = true,
       state = case when state = 'queued' or progressed_at < $4 then 'stopped' else state end,
       finished_at = case when state = 'queued' or progressed_at < $4 then $3 else finished_at end,
       attempt = attempt + case when progressed_at < $4 then 1 else 0 end
     where workspace_id = $1 and id = $2 and state in ('queued', 'running')
     returning ${IMPORT}`,
    [workspaceId, id, at, lostBefore],
  )

export const deleteImport = (database: Queryable, workspaceId: number, id: string) =>
  count(database, `delete from imports.import where workspace_id = $1 and id = $2 and ${IDLE}`, [workspaceId, id])

/** The oldest of these that waits, or that a process left behind when it ended. The job's lock keeps others away. */
export const claimImport = (database: Queryable, ids: string[], at: Date) =>
  first<ImportRow>(
    database,
    `update imports.import
     set state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, $2), finished_at = null,
       resumed_at = $2, resumed_rows = rows, resumed_bytes = bytes_read, progressed_at = $2
     where id = (
       select id from imports.import
       where state in ('queued', 'running') and id = any($1::uuid[])
       order by queued_at, id
       limit 1
     )
     returning ${IMPORT}`,
    [ids, at],
  )

export interface Progress extends Counts {
  at: Date
  checkpoint: Checkpoint | null
  rejectsBytes: number
  bytesRead: number
  format: FileFormat
}

/** Undefined when this run was overtaken: another process has taken the import up, or it is gone. */
export const saveProgress = (
  database: Queryable,
  run: { workspaceId: number; id: string; attempt: number },
  progress: Progress,
) =>
  first<{ isStopRequested: boolean }>(
    database,
    `update imports.import
     set checkpoint = $4, rejects_bytes = $5, bytes_read = $6, format = $7, rows = $8, events = $9, stored = $10,
       deduplicated = $11, rejected = $12, rejected_by_reason = $13, progressed_at = $14
     where workspace_id = $1 and id = $2 and attempt = $3 and state = 'running'
     returning is_stop_requested as "isStopRequested"`,
    [
      run.workspaceId,
      run.id,
      run.attempt,
      jsonText(progress.checkpoint),
      progress.rejectsBytes,
      progress.bytesRead,
      jsonText(progress.format),
      progress.rows,
      progress.events,
      progress.stored,
      progress.deduplicated,
      progress.rejected,
      jsonText(progress.rejectedByReason),
      progress.at,
    ],
  )

export const finishImport = (
  database: Queryable,
  run: { workspaceId: number; id: string; attempt: number },
  end: { state: 'done' | 'failed' | 'stopped'; at: Date; error?: { code: string; message: string } },
) =>
  count(
    database,
    `update imports.import
     set state = $4, finished_at = $5, error_code = $6, error_message = $7, is_stop_requested = false
     where workspace_id = $1 and id = $2 and attempt = $3 and state = 'running'`,
    [run.workspaceId, run.id, run.attempt, end.state, end.at, end.error?.code ?? null, end.error?.message ?? null],
  )

/** Of these, the ones that are in no workspace any more. */
export const unknownImports = async (database: Queryable, ids: string[]): Promise<string[]> => {
  const known = await all<{ id: string }>(database, 'select id from imports.import where id = any($1::uuid[])', [ids])
  const set = new Set(known.map(row => row.id))
  return ids.filter(id => !set.has(id))
}

/** Of these, the ones that are not needed any more: done, or left alone, for so long. */
export const expiredImports = (database: Queryable, ids: string[], before: { done: Date; untouched: Date }) =>
  all<{ workspaceId: number; id: string; isUntouched: boolean }>(
    database,
    `select workspace_id as "workspaceId", id, coalesce(finished_at, created_at) < $3 as "isUntouched"
     from imports.import
     where id = any($1::uuid[])
       and ((state = 'done' and not is_file_removed and finished_at < $2)
         or (${IDLE} and coalesce(finished_at, created_at) < $3))`,
    [ids, before.done, before.untouched],
  )

export const markFileRemoved = (database: Queryable, workspaceId: number, id: string) =>
  count(database, `update imports.import set is_file_removed = true where workspace_id = $1 and id = $2 and ${IDLE}`, [
    workspaceId,
    id,
  ])

const jsonText = (value: unknown): string | null =>
  value === undefined || value === null ? null : JSON.stringify(value as JsonObject)
