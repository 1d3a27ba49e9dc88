/** SQL of rebuilds: asked for, begun, followed, done. */
import type { Queryable } from '../store/postgres.ts'

export interface RebuildRow {
  id: string
  requestedAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  /** Log groups to go through, and gone through. */
  total: number
  done: number
}

/** Returns the unfinished one where there is one already. */
export async function requestRebuild(client: Queryable, id: string, at: Date): Promise<string> {
  await client.query('insert into events.rebuild (id, requested_at) values ($1, $2) on conflict do nothing', [id, at])
  const result = await client.query<{ id: string }>('select id from events.rebuild where finished_at is null')
  return result.rows[0]?.id ?? id
}

export async function findPendingRebuild(client: Queryable): Promise<string | undefined> {
  const result = await client.query<{ id: string }>(
    'select id from events.rebuild where finished_at is null and started_at is null',
  )
  return result.rows[0]?.id
}

export async function isRebuilding(client: Queryable): Promise<boolean> {
  const result = await client.query('select 1 from events.rebuild where finished_at is null')
  return result.rowCount !== 0
}

/** In the transaction that empties what is derived: the pipeline begins again, up to where every lane stands now. */
export async function beginRebuild(client: Queryable, id: string, at: Date): Promise<void> {
  await client.query('delete from events.cursor')
  // What could not be processed gets its chance again.
  await client.query(`update events.block set is_open = false, excluded = '{}' where is_open or excluded <> '{}'`)
  await client.query(
    `
      update events.rebuild set
        started_at = $2,
        target = (select coalesce(jsonb_object_agg(lane, pos), '{}') from events.lane)
      where id = $1`,
    [id, at],
  )
}

/** Closes a rebuild that has caught up with where the lanes stood when it began. */
export async function finishRebuilds(client: Queryable, at: Date): Promise<void> {
  await client.query(
    `
      update events.rebuild set finished_at = $1
      where finished_at is null and started_at is not null
        and not exists (
          select 1 from jsonb_each_text(target) as goal (lane, pos)
          left join events.cursor on cursor.lane = goal.lane::int
          where coalesce(cursor.pos, 0) < goal.pos::bigint
        )`,
    [at],
  )
}

export async function findRebuild(client: Queryable, id: string): Promise<RebuildRow | undefined> {
  const result = await client.query<RebuildRow>(
    `
      select id, requested_at as "requestedAt", started_at as "startedAt", finished_at as "finishedAt",
        (select coalesce(sum(pos::bigint), 0)::bigint from jsonb_each_text(target) as goal (lane, pos)) as total,
        (
          select coalesce(sum(least(cursor.pos, goal.pos::bigint)), 0)::bigint
          from jsonb_each_text(target) as goal (lane, pos) join events.cursor on cursor.lane = goal.lane::int
        ) as done
      from events.rebuild where id = $1`,
    [id],
  )
  return result.rows[0]
}
