/** SQL of backups: which tables hold the truth, and their rows as PostgreSQL's own COPY writes and reads them. */
import type { Readable, Writable } from 'node:stream'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { Connection, Queryable } from '../store/postgres.ts'

export interface TableToCopy {
  /** `schema.table`, each part a plain name. */
  table: string
  columns: string[]
}

/** Every table of ours but those in `derived`, in an order in which foreign keys hold. */
export async function listTables(client: Queryable, derived: ReadonlySet<string>): Promise<TableToCopy[]> {
  const tables = await client.query<{ table: string; columns: string[]; needs: string[] }>(`
    select
      nspname || '.' || relname as "table",
      array(
        select attname::text from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum
      ) as columns,
      array(
        select distinct target_schema.nspname || '.' || target.relname
        from pg_constraint
        join pg_class target on target.oid = confrelid
        join pg_namespace target_schema on target_schema.oid = target.relnamespace
        where conrelid = pg_class.oid and contype = 'f' and confrelid <> conrelid
      ) as needs
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p') and not relispartition
      and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'public')
    order by nspname, relname`)
  const rest = tables.rows.filter(row => !derived.has(row.table))
  const sorted: TableToCopy[] = []
  while (rest.length > 0) {
    const placed = new Set(sorted.map(({ table }) => table))
    const next = rest.findIndex(row => row.needs.every(need => placed.has(need) || derived.has(need)))
    if (next < 0) throw new Error('foreign keys run in a circle')
    const [row] = rest.splice(next, 1)
    if (row) sorted.push({ table: row.table, columns: row.columns })
  }
  return sorted
}

const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/

/** Names cannot be parameters; these are checked against the only shape that ours have. */
function quoted({ table, columns }: TableToCopy): { table: string; columns: string } {
  for (const name of [...table.split('.'), ...columns])
    if (!PLAIN_NAME.test(name)) throw new Error('not a table of ours')
  return { table, columns: columns.map(column => `"${column}"`).join(', ') }
}

export function readTable(client: Connection, table: TableToCopy): Readable {
  const { table: name, columns } = quoted(table)
  return client.query(copyTo(`copy (select ${columns} from ${name}) to stdout`))
}

export function writeTable(client: Connection, table: TableToCopy): Writable {
  const { table: name, columns } = quoted(table)
  return client.query(copyFrom(`copy ${name} (${columns}) from stdin`))
}

/** Sees every table as it is at one moment, and keeps days of the log from being dropped meanwhile. */
export async function beginSnapshot(client: Queryable): Promise<{ schemaVersion: number; logDays: string[] }> {
  await client.query('begin isolation level repeatable read read only')
  await client.query('lock table events.log in access share mode')
  const version = await client.query<{ version: number }>('select max(version) as version from public.migration')
  const days = await client.query<{ day: string }>(`
    select distinct to_char(received_at at time zone 'UTC', 'YYYY-MM-DD') as day from events.log order by day`)
  return { schemaVersion: version.rows[0]?.version ?? 0, logDays: days.rows.map(row => row.day) }
}

export async function isEmpty(client: Queryable): Promise<boolean> {
  const result = await client.query(`select 1 from pg_namespace where nspname = 'workspaces'`)
  return result.rowCount === 0
}

/** Identity columns go on after the greatest number that was restored. */
export async function advanceSequences(client: Queryable): Promise<void> {
  const columns = await client.query<{ schema: string; table: string; column: string }>(`
    select table_schema as schema, table_name as "table", column_name as "column"
    from information_schema.columns
    where is_identity = 'YES'
    order by table_schema, table_name`)
  for (const { schema, table, column } of columns.rows) {
    const name = quoted({ table: `${schema}.${table}`, columns: [column] })
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), greatest((select coalesce(max(${name.columns}), 1) from ${name.table}), 1))`,
      [name.table, column],
    )
  }
}
