/** Making sources and their keys. In: a wish. Out: a stored source with a slug and a write key of its own. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { JsonObject } from '../spec/json.ts'
import { freeSlug, slugFrom } from '../spec/slug.ts'
import { type Queryable, transaction } from '../store/postgres.ts'
import { forgetSources } from './find.ts'
import type { Source, SourceKind } from './source.ts'
import { findSourceByName, insertSource, lockSources, setWriteKey, takenSlugs } from './store.ts'

/** 128 bits: a write key stands in public pages, it only must not be guessed. */
const WRITE_KEY_BYTES = 16
const SOURCES_MAX = 1_000
const TRIES = 5

/** `writeKey` only where a setting fixes it. Takes a connection, so that it can be part of a transaction. */
export async function createSource(
  context: Context,
  database: Queryable,
  workspaceId: number,
  wish: { name: string; kind: SourceKind; writeKey?: string; settings?: JsonObject },
): Promise<Source> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const taken = await takenSlugs(database, workspaceId)
    if (taken.size >= SOURCES_MAX) throw new Problem('conflict', `A workspace has at most ${SOURCES_MAX} sources.`)
    const source = await insertSource(database, workspaceId, {
      slug: freeSlug(slugFrom(wish.name, wish.kind), taken),
      name: wish.name,
      kind: wish.kind,
      writeKey: wish.writeKey ?? newWriteKey(),
      settings: wish.settings ?? {},
      at: new Date(context.now()),
    })
    if (source !== undefined) {
      forgetSources(context)
      return source
    }
  }
  throw new Problem('conflict', 'This write key belongs to another source already.')
}

/** The source of this kind and name, made when there is none. */
export async function ensureSource(
  context: Context,
  workspaceId: number,
  wish: { name: string; kind: SourceKind },
): Promise<Source> {
  return transaction(context.postgres, async client => {
    await lockSources(client, workspaceId)
    const found = await findSourceByName(client, workspaceId, wish.kind, wish.name)
    return found ?? createSource(context, client, workspaceId, wish)
  })
}

/** The old key is unknown at once in this process, within 3 seconds in others. */
export async function rotateWriteKey(context: Context, workspaceId: number, slug: string): Promise<Source | undefined> {
  const source = await setWriteKey(context.postgres, workspaceId, slug, newWriteKey())
  forgetSources(context)
  return source
}

const newWriteKey = () => randomBytes(WRITE_KEY_BYTES).toString('base64url')
