/** Brings both databases to the schema of this version: numbered SQL files, forward only, under a lock, safe to run twice. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../errors.ts'
import type { ClickHouse } from './clickhouse.ts'
import { type Postgres, transaction } from './postgres.ts'

export interface Migration {
  /** The file's number; 000001 is first. */
  version: number
  name: string
  sql: string
}

/** Any constant does; it only has to be the same in every process of ours. */
const LOCK = 7_070_070_707
const FILE_NAME = /^(\d{6})_([a-z0-9-]+)\.sql$/

/** Reads a folder of `000001_name.sql` files, in order. Throws when a name or number is out of line. */
export function readMigrations(folder: string): Migration[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.sql'))
  const migrations = files.sort().map(file => {
    const match = FILE_NAME.exec(file)
    if (!match?.[1] || !match[2]) throw new Error(`${file} is not named like 000001_name.sql`)
    return { version: Number(match[1]), name: match[2], sql: readFileSync(join(folder, file), 'utf8') }
  })
  for (const [index, migration] of migrations.entries()) {
    if (migrations[index - 1]?.version === migration.version)
      throw new Error(`two migrations are numbered ${migration.version}`)
  }
  return migrations
}

export async function migratePostgres(pool: Postgres, migrations: Migration[]): Promise<void> {
  await transaction(pool, async client => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    await client.query(
      'create table if not exists public.migration (version int primary key, name text not null, at timestamptz not null default now())',
    )
    const done = await client.query<{ version: number }>('select version from public.migration')
    const known = new Set(done.rows.map(row => row.version))
    refuseNewer(known, migrations, 'PostgreSQL')
    for (const migration of migrations) {
      if (known.has(migration.version)) continue
      await client.query('insert into public.migration (version, name) values ($1, $2)', [
        migration.version,
        migration.name,
      ])
      await client.query(migration.sql)
    }
  })
}

/** ClickHouse has no transactions: each statement of a file is written to be harmless when it runs twice. */
export async function migrateClickHouse(clickhouse: ClickHouse, migrations: Migration[]): Promise<void> {
  await clickhouse.command(
    'create table if not exists migration (version UInt32, name String, at DateTime default now()) engine = MergeTree order by version',
  )
  const done = await clickhouse.query<{ version: number }>('select version from migration order by version')
  const known = new Set(done.map(row => row.version))
  refuseNewer(known, migrations, 'ClickHouse')
  for (const migration of migrations) {
    if (known.has(migration.version)) continue
    for (const statement of splitStatements(migration.sql)) await clickhouse.command(statement)
    await clickhouse.command('insert into migration (version, name) values ({version:UInt32}, {name:String})', {
      version: migration.version,
      name: migration.name,
    })
  }
}

/** Statements end with a semicolon at the end of a line; none of our SQL has one inside a string there. */
function splitStatements(sql: string): string[] {
  return sql
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map(statement => statement.trim())
    .filter(statement => statement !== '')
}

function refuseNewer(known: Set<number>, migrations: Migration[], database: string): void {
  const newest = Math.max(0, ...migrations.map(migration => migration.version))
  const beyond = [...known].filter(version => version > newest)
  if (beyond.length > 0) {
    throw new StartError(
      `This ${database} was last used by a newer Throughline (schema ${Math.max(...beyond)}, here ${newest}).`,
      {
        hint: 'Start the newer version, or restore a backup made by this one.',
      },
    )
  }
}

export const migrationFolders = {
  postgres: join(import.meta.dirname, '../../db/postgres'),
  clickhouse: join(import.meta.dirname, '../../db/clickhouse'),
}
