/** Wishes of whoever asks in; imports made, given a file, queued, stopped and removed out. */
import type { Readable } from 'node:stream'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/route.ts'
import { ensureSource, findSource } from '../sources/index.ts'
import { type Connection, transaction } from '../store/postgres.ts'
import { FILE_BYTES_MAX, fileOf, LOOKUP_BYTES_MAX, lookupOf, removeAll, type SavedStream, saveStream } from './files.ts'
import type { ImportRow } from './import.ts'
import { checkReady } from './load.ts'
import { type Mapping, parseMapping } from './mapping.ts'
import {
  changeImport,
  deleteImport,
  findImport,
  insertImport,
  queueImport,
  setFile,
  setLookup,
  stopImport,
} from './store.ts'

/** Without a sign of life for so long, no process works on an import any more. */
const LOST_AFTER_MS = 30_000
const LOOKUPS_MAX = 20

type Asker = Pick<Actor, 'workspaceId' | 'accountId'>

/** @throws Problem `not_found` */
export async function needImport(context: Context, actor: Asker, id: string): Promise<ImportRow> {
  return (await findImport(context.postgres, actor.workspaceId, id)) ?? notFound()
}

/** Checks a mapping document. @throws Problem `invalid_request` with every fault, by its place below `mapping` */
export function checkMapping(document: unknown): Mapping {
  const parsed = parseMapping(document)
  if ('mapping' in parsed) return parsed.mapping
  const faults = parsed.faults.map(({ path, message }) => ({
    path: path === '' ? 'mapping' : `mapping.${path}`,
    message,
  }))
  throw new Problem('invalid_request', 'The mapping cannot be used as it is.', {
    hint: 'docs/guides/import.md describes mappings; POST …/guesses proposes one for a file.',
    faults,
  })
}

export async function createImport(
  context: Context,
  actor: Asker,
  wish: { name: string; sourceId?: string | undefined; mapping?: unknown },
): Promise<ImportRow> {
  if (wish.mapping !== undefined) checkMapping(wish.mapping)
  const { workspaceId, accountId } = actor
  if (wish.sourceId !== undefined) await needSource(context, workspaceId, wish.sourceId)
  const row = await insertImport(context.postgres, workspaceId, {
    id: context.uuid(),
    name: wish.name,
    source: wish.sourceId ?? null,
    mapping: wish.mapping,
    createdBy: accountId ?? null,
    at: new Date(context.now()),
  })
  if (!row) throw new Error('an insert gave no row')
  return row
}

async function needSource(context: Context, workspaceId: number, slug: string): Promise<void> {
  if (await findSource(context.postgres, workspaceId, slug)) return
  throw new Problem('unprocessable', `There is no source "${slug}" in this workspace.`, {
    hint: 'GET /api/v1/sources lists them; without sourceId one is made from the name.',
    faults: [{ path: 'sourceId', message: 'There is no such source.' }],
  })
}

export async function patchImport(
  context: Context,
  actor: Asker,
  id: string,
  wish: { name?: string | undefined; sourceId?: string | undefined; mapping?: unknown },
): Promise<ImportRow> {
  if (wish.mapping !== undefined) checkMapping(wish.mapping)
  if (wish.sourceId !== undefined) await needSource(context, actor.workspaceId, wish.sourceId)
  const change = { name: wish.name, source: wish.sourceId, mapping: wish.mapping }
  const changed = await changeImport(context.postgres, actor.workspaceId, id, change)
  return changed ?? busyOrGone(context, actor, id)
}

/** Takes the file of an import, or another one in its place: then the next run begins at its first row. */
export async function putFile(
  context: Context,
  actor: Asker,
  id: string,
  file: { name: string; stream: Readable | undefined },
): Promise<ImportRow> {
  await needIdle(context, actor, id)
  const stream = file.stream ?? emptyFile()
  const target = { id, path: fileOf(context, id), bytesMax: FILE_BYTES_MAX }
  return saveStream(context, stream, target, saved =>
    putInPlace(context, actor, id, saved, client =>
      setFile(client, actor.workspaceId, id, { name: file.name, bytes: saved.bytes }),
    ),
  )
}

/** Takes a small file that the mapping joins to the rows under the name `as`. */
export async function putLookup(
  context: Context,
  actor: Asker,
  id: string,
  lookup: { as: string; name: string; stream: Readable | undefined },
): Promise<ImportRow> {
  const before = await needIdle(context, actor, id)
  if (!before.lookups[lookup.as] && Object.keys(before.lookups).length >= LOOKUPS_MAX) {
    throw new Problem('conflict', `An import has at most ${LOOKUPS_MAX} lookups.`)
  }
  const stream = lookup.stream ?? emptyFile()
  const target = { id, path: lookupOf(context, id, lookup.as), bytesMax: LOOKUP_BYTES_MAX }
  return saveStream(context, stream, target, saved =>
    putInPlace(context, actor, id, saved, client =>
      setLookup(client, actor.workspaceId, id, { as: lookup.as, name: lookup.name, bytes: saved.bytes }),
    ),
  )
}

/** The row is locked while the file takes its place: nobody can run the import in between. */
const putInPlace = (
  context: Context,
  actor: Asker,
  id: string,
  saved: SavedStream,
  write: (client: Connection) => Promise<ImportRow | undefined>,
): Promise<ImportRow> =>
  transaction(context.postgres, async client => {
    const row = await write(client)
    if (!row) return busyOrGone(context, actor, id)
    await saved.putInPlace()
    return row
  })

function emptyFile(): never {
  throw new Problem('invalid_request', 'The file is empty.', {
    faults: [{ path: 'body', message: 'Nothing was sent.' }],
  })
}

/**
 * Queues it: from the first row, or from where an earlier run was interrupted. Its source is the one that was named, else
 * the import source of the same name, made when there is none. Asking again changes nothing.
 */
export async function runAgain(context: Context, actor: Asker, id: string): Promise<ImportRow> {
  const row = await needImport(context, actor, id)
  if (row.state === 'queued' || row.state === 'running') return row
  await checkReady(context, row)
  const { workspaceId } = actor
  const source = row.source ?? (await ensureSource(context, workspaceId, { name: row.name, kind: 'import' })).slug
  const order = { at: new Date(context.now()), source, isAfresh: row.state === 'done' }
  await queueImport(context.postgres, workspaceId, id, order)
  return needImport(context, actor, id)
}

/** Asks it to stop. What was stored stays; it can go on. Asking again changes nothing. */
export async function stopRun(context: Context, actor: Asker, id: string): Promise<ImportRow> {
  const now = context.now()
  const lostBefore = new Date(now - LOST_AFTER_MS)
  const stopped = await stopImport(context.postgres, actor.workspaceId, id, new Date(now), lostBefore)
  return stopped ?? needImport(context, actor, id)
}

/** Removes an import with its files; its events stay. */
export async function removeImport(context: Context, actor: Asker, id: string): Promise<void> {
  if ((await deleteImport(context.postgres, actor.workspaceId, id)) === 0) await busyOrGone(context, actor, id)
  await removeAll(context, id)
}

async function needIdle(context: Context, actor: Asker, id: string): Promise<ImportRow> {
  const row = await needImport(context, actor, id)
  if (row.state === 'queued' || row.state === 'running') throw busy()
  return row
}

async function busyOrGone(context: Context, actor: Asker, id: string): Promise<never> {
  await needImport(context, actor, id)
  throw busy()
}

const busy = () =>
  new Problem('conflict', 'The import is under way.', { hint: 'Wait for its end, or stop it: POST …/stops.' })

function notFound(): never {
  throw new Problem('not_found', 'There is no such import in this workspace.')
}
