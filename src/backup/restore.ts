/** A backup comes in; an empty database and data folder become what they were. What is derived follows at the next start. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { systemClock } from '../context.ts'
import { StartError } from '../errors.ts'
import { archiveFolder, ensureLogDays, requestRebuild } from '../events/index.ts'
import { migratePostgres, migrationFolders, readMigrations } from '../store/migrate.ts'
import { type Connection, type Postgres, transaction } from '../store/postgres.ts'
import { decodeParts, type OpenPart } from './frames.ts'
import { advanceSequences, isEmpty, writeTable } from './store.ts'

export interface Restored {
  at: string
  tables: number
  files: number
}

/**
 * Fills an empty database. The tables are made as they were at the time of the backup, filled in one transaction, and
 * then brought to this version. Throws StartError when the database is in use or the file is no backup.
 */
export async function restoreBackup(postgres: Postgres, dataDir: string, file: string): Promise<Restored> {
  if (!(await isEmpty(postgres))) {
    throw new StartError('This database is in use already; a backup is restored into an empty one.', {
      hint: 'Give an empty data folder with THROUGHLINE_DATA_DIR, or an empty database with DATABASE_URL.',
    })
  }
  const parts = decodeParts(createReadStream(file).pipe(createZstdDecompress()))
  try {
    const first = (await parts.next()).value as OpenPart | undefined
    if (first?.part.kind !== 'begin') throw new Error('it does not begin like one')
    const { schemaVersion, logDays, at } = first.part
    for await (const _ of first.bytes);
    const migrations = readMigrations(migrationFolders.postgres)
    await migratePostgres(
      postgres,
      migrations.filter(migration => migration.version <= schemaVersion),
    )
    const counts = await transaction(postgres, async client => {
      await ensureLogDays(client, logDays)
      const counts = await restoreParts(client, dataDir, parts)
      await advanceSequences(client)
      return counts
    })
    await migratePostgres(postgres, migrations)
    await requestRebuild(postgres, systemClock.uuid(), new Date(at))
    return { at, ...counts }
  } catch (cause) {
    if (cause instanceof StartError) throw cause
    throw new StartError(`${file} cannot be restored: ${(cause as Error).message}.`, { cause })
  }
}

async function restoreParts(client: Connection, dataDir: string, parts: AsyncIterable<OpenPart>) {
  const counts = { tables: 0, files: 0 }
  for await (const { part, bytes } of parts) {
    if (part.kind === 'table') {
      await pipeline(Readable.from(bytes), writeTable(client, part))
      counts.tables += 1
    } else if (part.kind === 'file') {
      await writeFile(inside(archiveFolder(dataDir), part.path), bytes)
      counts.files += 1
    } else for await (const _ of bytes);
  }
  return counts
}

async function writeFile(path: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await pipeline(Readable.from(bytes), createWriteStream(path, { mode: 0o600 }))
}

/** A backup from elsewhere may not write outside the archive. */
function inside(folder: string, path: string): string {
  const full = normalize(join(folder, path))
  if (!full.startsWith(folder + sep)) throw new Error('it names a file outside the archive')
  return full
}
