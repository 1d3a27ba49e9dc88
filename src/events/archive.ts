/**
 * Days of the log that everything has been made from move out of PostgreSQL into files, and back for a rebuild.
 *
 * A file holds one day of one workspace as zstd: for each row of the log, in order, a line that says where the row stood
 * and then its events, so that `zstdcat` shows plain lines of JSON. Beside it stands a manifest with counts and a hash.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import { z } from 'zod'
import type { Postgres } from '../store/postgres.ts'
import { transaction } from '../store/postgres.ts'
import { type ArchivedGroup, decodeFrames, encodeFrame, type LogFrame, linesOf, packGroup } from './archive-frame.ts'
import { whileHoldingDays } from './days.ts'
import { dropLogPartition, insertLogRows, listLogPartitions, readLogDay, workspacesInDay } from './store-archive.ts'

const manifestSchema = z.object({
  workspaceId: z.number().int(),
  day: z.string(),
  rows: z.number().int(),
  events: z.number().int(),
  sha256: z.string(),
})
type Manifest = z.infer<typeof manifestSchema>

/** Rows of the log written or read at once. */
const SLICE_ROWS = 500

/**
 * Archives and drops the oldest day before `before` (YYYY-MM-DD) that the pipeline has finished with. Returns that day,
 * or undefined when there is none. Cut off anywhere, it can simply be run again: the rows go only after their file is whole.
 */
export async function archiveOldestDay(
  postgres: Postgres,
  folder: string,
  before: string,
): Promise<string | undefined> {
  const moved = await whileHoldingDays(postgres, 'exclusive', async () => {
    const partitions = await listLogPartitions(postgres)
    const oldest = partitions.find(partition => partition.day < before && partition.isProcessed)
    if (!oldest) return undefined
    for (const workspaceId of await workspacesInDay(postgres, oldest.name)) {
      await writeDay(postgres, folder, oldest, workspaceId)
    }
    await dropLogPartition(postgres, oldest.name)
    return oldest.day
  })
  return moved?.result
}

async function writeDay(
  postgres: Postgres,
  folder: string,
  partition: { name: string; day: string },
  workspaceId: number,
): Promise<void> {
  const directory = join(folder, String(workspaceId))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${partition.day}.ndjson.zst`)
  const hash = createHash('sha256')
  const manifest: Manifest = { workspaceId, day: partition.day, rows: 0, events: 0, sha256: '' }
  async function* frames() {
    let after = { lane: 0, pos: 0 }
    for (;;) {
      const rows = await readLogDay(postgres, partition.name, workspaceId, after, SLICE_ROWS)
      for (const row of rows) {
        manifest.rows += 1
        manifest.events += row.events
        after = { lane: row.lane, pos: row.pos }
        yield encodeFrame(row)
      }
      if (rows.length < SLICE_ROWS) return
    }
  }
  const file = createWriteStream(`${path}.part`, { mode: 0o600, flush: true })
  await pipeline(frames, createZstdCompress(), hashing(hash), file)
  manifest.sha256 = hash.digest('hex')
  await writeFile(`${path}.json`, JSON.stringify(manifest), { mode: 0o600 })
  await rename(`${path}.part`, path)
}

const hashing = (hash: Hash) =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })

export interface ArchiveFile {
  path: string
  manifest: Manifest
}

/** Every archived day, oldest first. */
export async function listArchive(folder: string): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = []
  for (const workspace of await readdir(folder).catch(() => [])) {
    for (const name of await readdir(join(folder, workspace))) {
      if (!name.endsWith('.ndjson.zst')) continue
      const path = join(folder, workspace, name)
      files.push({ path, manifest: manifestSchema.parse(JSON.parse(await readFile(`${path}.json`, 'utf8'))) })
    }
  }
  return files.sort((a, b) => (a.manifest.day < b.manifest.day ? -1 : 1))
}

export const archiveFolder = (dataDir: string): string => join(dataDir, 'archive')

/** Puts everything that was archived back into the log; false while somebody reads it. */
export async function restoreArchive(postgres: Postgres, folder: string): Promise<boolean> {
  const restored = await whileHoldingDays(postgres, 'exclusive', async () => {
    for (const file of await listArchive(folder)) await restoreDay(postgres, file)
  })
  return restored !== undefined
}

/** Puts an archived day back into the log and removes the file. Throws ArchiveDamaged. */
export async function restoreDay(postgres: Postgres, file: ArchiveFile): Promise<void> {
  await transaction(postgres, async client => {
    const rows: LogFrame[] = []
    for await (const group of readDay(file)) {
      rows.push(await packGroup(group))
      if (rows.length === SLICE_ROWS) await insertLogRows(client, rows.splice(0))
    }
    await insertLogRows(client, rows)
  })
  await rm(file.path)
  await rm(`${file.path}.json`)
}

/** A file is not what its manifest says. */
export class ArchiveDamaged extends Error {
  readonly day: string

  constructor(day: string, options?: ErrorOptions) {
    super(`archive of ${day} is damaged: it is not what its manifest says`, options)
    this.name = 'ArchiveDamaged'
    this.day = day
  }
}

/** Removes days of the archive before `before` (YYYY-MM-DD); returns how many files. */
export async function expireArchive(folder: string, before: string): Promise<number> {
  const old = (await listArchive(folder)).filter(file => file.manifest.day < before)
  for (const { path } of old) {
    await rm(path, { force: true })
    await rm(`${path}.json`, { force: true })
  }
  return old.length
}

/** Everything in an archived day. Throws ArchiveDamaged, at the end at the latest. */
export async function* readDay({ path, manifest }: ArchiveFile): AsyncGenerator<ArchivedGroup> {
  const hash = createHash('sha256')
  let rows = 0
  const packed = createReadStream(path)
  const text = createZstdDecompress()
  const flow = pipeline(packed, hashing(hash), text)
  // Whoever reads hears of it too.
  flow.catch(() => {})
  try {
    for await (const group of decodeFrames(linesOf(text))) {
      rows += 1
      yield group
    }
    await flow
  } catch (cause) {
    throw new ArchiveDamaged(manifest.day, { cause })
  } finally {
    packed.destroy()
  }
  if (rows !== manifest.rows || hash.digest('hex') !== manifest.sha256) throw new ArchiveDamaged(manifest.day)
}
