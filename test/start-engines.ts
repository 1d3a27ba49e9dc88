import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts'
import { migratePostgres, migrationFolders, readMigrations } from '../src/store/migrate.ts'
import { openPostgres } from '../src/store/postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { host: string; port: number; user: string; database: string }
  }
}

/** The database that each test file's own is cloned from. */
export const TEMPLATE = 'throughline_template'

/** Runs once before every test file: one real PostgreSQL with a migrated template database. */
export default async function startEngines(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-test-'))
  // fsync is off here alone: no test of this server cuts the power, and 2 cores are busy enough.
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { fsync: false })
  try {
    const admin = openPostgres({ ...server.connection, database: 'postgres' }, { size: 1 })
    await admin.query(`create database ${TEMPLATE}`)
    const template = openPostgres({ ...server.connection, database: TEMPLATE }, { size: 1 })
    await migratePostgres(template, readMigrations(migrationFolders.postgres))
    await template.end()
    await admin.end()
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('postgres', server.connection)
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
