/** SQL of changed rules on their way into force: asked for, begun, followed, done or failed. */
import { type IdentityRules, identityRulesSchema } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { all, first } from '../store/query.ts'

export type ApplicationState = 'pending' | 'running' | 'projecting' | 'done' | 'failed'

/** Why changed rules could not be put in force. */
export type ApplicationFailure = 'too_many_identifiers' | 'archive_damaged' | 'interrupted' | 'internal'

export interface Application {
  id: string
  rules: IdentityRules
  state: ApplicationState
  requestedAt: Date
  requestedBy: string
  startedAt: Date | null
  finishedAt: Date | null
  done: number
  total: number
  version: number | null
  changedProfiles: number | null
  failure: ApplicationFailure | null
}

const columns = `id, rules, state, requested_at as "requestedAt", requested_by as "requestedBy", started_at as "startedAt",
  finished_at as "finishedAt", done, total, version, changed_profiles as "changedProfiles", failure`

const unfinished = `state in ('pending', 'running', 'projecting')`

const parsed = <Row extends { rules: unknown }>(row: Row) => ({ ...row, rules: identityRulesSchema.parse(row.rules) })

/** Does nothing while another one of the workspace is unfinished. */
export async function insertApplication(
  client: Queryable,
  workspaceId: number,
  application: Pick<Application, 'id' | 'rules' | 'requestedAt' | 'requestedBy'>,
): Promise<void> {
  const { id, rules, requestedAt, requestedBy } = application
  await client.query(
    `
      insert into identity.rules_application (workspace_id, id, rules, state, requested_at, requested_by)
      values ($1, $2, $3, 'pending', $4, $5)
      on conflict do nothing`,
    [workspaceId, id, JSON.stringify(rules), requestedAt, requestedBy],
  )
}

export async function findApplication(
  client: Queryable,
  workspaceId: number,
  id: string,
): Promise<Application | undefined> {
  const row = await first<Application>(
    client,
    `select ${columns} from identity.rules_application where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  )
  return row && parsed(row)
}

/** The one of a workspace that is not finished. */
export async function findApplicationUnderWay(
  client: Queryable,
  workspaceId: number,
): Promise<Application | undefined> {
  const row = await first<Application>(
    client,
    `select ${columns} from identity.rules_application where workspace_id = $1 and ${unfinished}`,
    [workspaceId],
  )
  return row && parsed(row)
}

/** The newest first; `before` is the last one of the page before. Times of requests are whole milliseconds. */
export async function listApplications(
  client: Queryable,
  workspaceId: number,
  before: { requestedAt: string; id: string } | undefined,
  limit: number,
): Promise<Application[]> {
  const rows = await all<Application>(
    client,
    `
      select ${columns} from identity.rules_application
      where workspace_id = $1 and ($2::timestamptz is null or (requested_at, id) < ($2, $3::uuid))
      order by requested_at desc, id desc
      limit $4`,
    [workspaceId, before?.requestedAt ?? null, before?.id ?? null, limit],
  )
  return rows.map(parsed)
}

/** What the pipeline needs to know of one. */
export interface UnfinishedApplication {
  workspaceId: number
  id: string
  rules: IdentityRules
  requestedBy: string
  state: 'pending' | 'running' | 'projecting'
  attempts: number
  /** Once it is `projecting`. */
  firstBlock: number | null
  lastBlock: number | null
  isMoving: boolean | null
}

/** The next one of any workspace in one of these states. */
export async function findUnfinishedApplication(
  client: Queryable,
  states: UnfinishedApplication['state'][],
): Promise<UnfinishedApplication | undefined> {
  const row = await first<UnfinishedApplication>(
    client,
    `
      select workspace_id as "workspaceId", id, rules, requested_by as "requestedBy", state, attempts,
        first_block as "firstBlock", last_block as "lastBlock", is_moving as "isMoving"
      from identity.rules_application
      where ${unfinished} and state = any ($1)
      order by requested_at, id
      limit 1`,
    [states],
  )
  return row && parsed(row)
}

/** It counts as an attempt until it is postponed, failed or done. */
export async function beginApplication(client: Queryable, id: string, at: Date): Promise<void> {
  await client.query(
    `
      update identity.rules_application set
        state = 'running', attempts = attempts + 1, done = 0, total = 0, started_at = coalesce(started_at, $2)
      where id = $1`,
    [id, at],
  )
}

/** Given up on purpose, to be begun anew: the program stops, or a database is away. */
export async function postponeApplication(client: Queryable, id: string): Promise<void> {
  await client.query(
    `
      update identity.rules_application set state = 'pending', attempts = attempts - 1
      where id = $1 and state = 'running'`,
    [id],
  )
}

export async function updateProgress(
  client: Queryable,
  id: string,
  progress: { done: number; total: number },
): Promise<void> {
  await client.query('update identity.rules_application set done = $2, total = $3 where id = $1', [
    id,
    progress.done,
    progress.total,
  ])
}

/** In the transaction that makes PostgreSQL what the rules say. */
export async function projectApplication(
  client: Queryable,
  id: string,
  written: { version: number; changedProfiles: number; firstBlock: number; lastBlock: number; isMoving: boolean },
): Promise<void> {
  await client.query(
    `
      update identity.rules_application set
        state = 'projecting', version = $2, changed_profiles = $3, first_block = $4, last_block = $5, is_moving = $6
      where id = $1`,
    [id, written.version, written.changedProfiles, written.firstBlock, written.lastBlock, written.isMoving],
  )
}

export async function endApplication(client: Queryable, id: string, at: Date): Promise<void> {
  await client.query(
    `update identity.rules_application set state = 'done', done = total, finished_at = $2 where id = $1`,
    [id, at],
  )
}

export async function failApplication(
  client: Queryable,
  id: string,
  failure: ApplicationFailure,
  at: Date,
): Promise<void> {
  await client.query(
    `update identity.rules_application set state = 'failed', failure = $2, finished_at = $3 where id = $1`,
    [id, failure, at],
  )
}
