/** Which source a write key belongs to, on the path of every collected request. In: a key. Out: its source, from memory. */
import type { Context } from '../context.ts'
import { Recent } from '../http/recent.ts'
import type { Postgres } from '../store/postgres.ts'
import { type Source, WRITE_KEY_PATTERN } from './source.ts'
import { findSourceByWriteKey } from './store.ts'

/** How long other processes may still honour a key that was changed here; this one forgets at once. */
const REMEMBER_MS = 3_000
const REMEMBERED_MAX = 10_000

interface Memory {
  sources: Recent<Source | null>
  /** Counts what was forgotten, so that a look-up that began before does not bring it back. */
  epoch: number
}
const memories = new WeakMap<Postgres, Memory>()

function memoryOf(postgres: Postgres): Memory {
  let memory = memories.get(postgres)
  if (memory === undefined) {
    memory = { sources: new Recent({ lifetimeMs: REMEMBER_MS, entriesMax: REMEMBERED_MAX }), epoch: 0 }
    memories.set(postgres, memory)
  }
  return memory
}

/**
 * The source, or null for an unknown or archived one; switched-off ones are found (`isEnabled` false). Answers at once
 * when the key was asked for in the last seconds, with a promise otherwise: `await` fits both.
 */
export function findByWriteKey(context: Context, writeKey: string): Source | null | Promise<Source | null> {
  const memory = memoryOf(context.postgres)
  const known = memory.sources.get(writeKey, context.now())
  return known === undefined ? lookUp(context, memory, writeKey) : known
}

async function lookUp(context: Context, memory: Memory, writeKey: string): Promise<Source | null> {
  if (!WRITE_KEY_PATTERN.test(writeKey)) return null
  const epoch = memory.epoch
  const source = (await findSourceByWriteKey(context.postgres, writeKey)) ?? null
  if (memory.epoch === epoch) memory.sources.set(writeKey, source, context.now())
  return source
}

/** To be called after every change to sources, or to which workspaces there are. */
export function forgetSources(context: Context): void {
  const memory = memoryOf(context.postgres)
  memory.epoch += 1
  memory.sources.clear()
}
