/** Databases for one test file: a fresh clone of the migrated PostgreSQL and, where asked for, a fresh chDB folder. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type ClickHouse, openEmbeddedClickHouse } from '../src/store/clickhouse.ts'
import { migrateClickHouse, migrationFolders, readMigrations } from '../src/store/migrate.ts'
import { openPostgres, type Postgres } from '../src/store/postgres.ts'
import { TEMPLATE } from './start-engines.ts'

/** A database of its own; `drop` closes the pool and removes it. */
export async function freshPostgres(options: { isEmpty?: boolean } = {}): Promise<{
  pool: Postgres
  connection: { host: string; port: number; user: string; database: string }
  drop(): Promise<void>
}> {
  const connection = inject('postgres')
  const database = `test_${randomUUID().replaceAll('-', '')}`
  const admin = openPostgres({ ...connection, database: 'postgres' }, { size: 1 })
  await admin.query(`create database ${database} template ${options.isEmpty ? 'template0' : TEMPLATE}`)
  const pool = openPostgres({ ...connection, database })
  return {
    pool,
    connection: { ...connection, database },
    async drop() {
      await pool.end()
      await admin.query(`drop database ${database} with (force)`)
      await admin.end()
    },
  }
}

export async function freshClickHouse(): Promise<{ clickhouse: ClickHouse; drop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-chdb-'))
  const clickhouse = await openEmbeddedClickHouse(folder)
  await migrateClickHouse(clickhouse, readMigrations(migrationFolders.clickhouse))
  return {
    clickhouse,
    async drop() {
      await clickhouse.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
