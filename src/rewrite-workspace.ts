/**
 * A workspace under other rules: in, an application of rules; out, PostgreSQL as if the workspace had always had them, in
 * one transaction, and ClickHouse's list of where events shall hang, which nobody reads yet.
 */
import type { Context } from './context.ts'
import { emptyMoves, type History, type Standstill, stageMoves, withHistory } from './events/index.ts'
import {
  changedReadings,
  findNumbers,
  type IdentityInput,
  inputOf,
  isReadAlike,
  type NodeId,
  projectApplication,
  type Rebuilt,
  readMap,
  readRules,
  rebuildIdentity,
  resolveAgain,
  type UnfinishedApplication,
  updateProgress,
  writeRebuilt,
  writeRules,
} from './identity/index.ts'
import { appendSaid, deleteSaid, unify } from './profiles/index.ts'
import { isEvent } from './spec/event.ts'
import type { IdentityRules } from './spec/identifier.ts'
import { type Connection, type Queryable, transaction } from './store/postgres.ts'
import { unifiedEvents } from './unified-events.ts'
import { findIdentityKey } from './workspaces/index.ts'

/** Nodes and profiles written at once. */
const SLICE_ROWS = 5_000
/** Resolved at once: some 30 ms, for which nobody else gets a turn. */
const RESOLVED_ENTRIES = 1_000
/** Everything is read until no device turns out to be shared any more: usually twice. */
const PASSES_EXPECTED = 2
const PROGRESS_EVERY_MS = 500

interface Work {
  context: Context
  application: UnfinishedApplication
  standstill: Standstill
  history: History
  before: IdentityRules
  /** Events may get other nodes, or keep what they say in another way. */
  isMoving: boolean
  rebuilt: Rebuilt
  /** Entries read so far, over all passes, go in. */
  advance(entries: number): Promise<void>
}

/** Throws TooManyIdentifiers or ArchiveDamaged; `unavailable` while days move between log and archive. */
export async function rewriteWorkspace(
  context: Context,
  application: UnfinishedApplication,
  standstill: Standstill,
): Promise<void> {
  const { postgres } = context
  const { workspaceId, rules } = application
  const identityKey = await findIdentityKey(postgres, workspaceId)
  if (!identityKey) throw new Error('rules are for a workspace that does not exist')
  const before = await readRules(postgres, workspaceId)
  const isMoving = !isReadAlike(before, rules)
  await withHistory(context, workspaceId, async history => {
    const advance = progressOf(context, application.id, history.size, isMoving)
    const rebuilt = await rebuildIdentity(holding(postgres, standstill), { workspaceId, identityKey, rules }, () =>
      inputsOf(history, rules, advance),
    )
    const work = { context, application, standstill, history, before, isMoving, rebuilt, advance }
    await transaction(postgres, client => rewrite(client, work))
  })
}

async function rewrite(client: Connection, work: Work): Promise<void> {
  const { context, application, standstill, isMoving, rebuilt } = work
  const { id, workspaceId, rules, requestedBy } = application
  const held = holding(client, standstill)
  const moved = isMoving ? await rewriteEvents(held, work) : { nodes: new Set<NodeId>(), blocks: 0 }
  const changedNodes = (await writeRebuilt(held, rebuilt)).map(change => change.node)
  const version = await writeRules(held, workspaceId, rules, { at: new Date(context.now()), by: requestedBy })
  const touched = moved.nodes.union(new Set(changedNodes))
  const profiles = await profilesAround(held, work, touched)
  const toldIn = await tellOf(held, work, { changedNodes, profiles })
  const firstBlock = standstill.nextBlock
  const lastBlock = firstBlock + Math.max(moved.blocks, toldIn, 1) - 1
  const written = { version, changedProfiles: profiles.length, firstBlock, lastBlock, isMoving }
  await projectApplication(held, id, written)
  await standstill.seal(client, lastBlock)
}

/** What each event says goes to its new hub; ClickHouse notes where it shall hang. Returns the nodes that it touches. */
async function rewriteEvents(client: Queryable, work: Work): Promise<{ nodes: Set<NodeId>; blocks: number }> {
  const { context, application, standstill, history, rebuilt, before, advance } = work
  const { workspaceId, rules } = application
  const nodes = new Set<NodeId>()
  let blocks = 0
  await emptyMoves(context.clickhouse)
  await deleteSaid(client, workspaceId)
  for await (const entries of history.batches()) {
    const inputs = entries.map(({ entry }) => inputOf(entry, rules))
    const resolved = await resolveAgain(rebuilt, inputs)
    const events = unifiedEvents(entries, inputs, resolved, rules)
    await appendSaid(client, { workspaceId, block: standstill.nextBlock + blocks, events })
    blocks += 1
    await stageMoves(
      context.clickhouse,
      entries.flatMap(({ entry, ...place }, index) => {
        const found = resolved[index]
        return isEvent(entry) && found ? [{ ...place, event: entry, node: found.hub, nodes: found.nodes }] : []
      }),
    )
    const changed = changedReadings(entries, inputs, before, rules)
    for (const index of changed.places) {
      const { hub = 0, nodes: others = [], group = 0 } = resolved[index] ?? {}
      for (const node of [hub, ...others, group]) nodes.add(node)
    }
    for (const node of await findNumbers(client, rebuilt.options, changed.identifiers)) nodes.add(node)
    await advance(entries.length)
  }
  nodes.delete(0)
  return { nodes, blocks }
}

/** Every profile that these nodes led to or lead to. Everybody else still sees the old state: so there it is read. */
async function profilesAround(client: Queryable, { context, application }: Work, nodes: Set<NodeId>) {
  const { workspaceId } = application
  const profiles = new Set<NodeId>()
  for (const slice of slicesOf([...nodes])) {
    const before = await readMap(context.postgres, workspaceId, slice)
    for (const { profile, owners } of [...before, ...(await readMap(client, workspaceId, slice))]) {
      for (const one of [profile, ...owners.map(owner => owner.profile)]) profiles.add(one)
    }
  }
  profiles.delete(0)
  return [...profiles].sort((x, y) => x - y)
}

/** Folds the profiles anew, and notes slice by slice what ClickHouse must learn. Returns how many slices there are. */
async function tellOf(
  client: Queryable,
  { application, standstill }: Work,
  { changedNodes, profiles }: { changedNodes: NodeId[]; profiles: NodeId[] },
): Promise<number> {
  const nodeSlices = slicesOf(changedNodes)
  const profileSlices = slicesOf(profiles)
  const slices = Math.max(nodeSlices.length, profileSlices.length)
  for (let index = 0; index < slices; index += 1) {
    const block = standstill.nextBlock + index
    const changes = { changedNodes: nodeSlices[index] ?? [], changedProfiles: profileSlices[index] ?? [] }
    await unify(client, { workspaceId: application.workspaceId, block, events: [], ...changes })
  }
  return slices
}

const slicesOf = <Item>(items: Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / SLICE_ROWS) }, (_, index) =>
    items.slice(index * SLICE_ROWS, (index + 1) * SLICE_ROWS),
  )

async function* inputsOf(
  history: History,
  rules: IdentityRules,
  advance: (entries: number) => Promise<void>,
): AsyncGenerator<IdentityInput[]> {
  for await (const entries of history.batches(RESOLVED_ENTRIES)) {
    yield entries.map(({ entry }) => inputOf(entry, rules))
    await advance(entries.length)
  }
}

/** Tells everybody how far it is, twice a second. Not within the transaction's last statements: they lock the same row. */
function progressOf({ postgres, now }: Context, id: string, size: number, isMoving: boolean) {
  let done = 0
  let toldAt = 0
  return async (entries: number): Promise<void> => {
    done += entries
    if (now() < toldAt + PROGRESS_EVERY_MS) return
    toldAt = now()
    const passes = Math.max(PASSES_EXPECTED + (isMoving ? 1 : 0), Math.ceil(done / size))
    await updateProgress(postgres, id, { done, total: passes * size })
  }
}

/** The same connection, on which each query first makes sure that the pipeline is ours still and the program runs on. */
const holding = (client: Queryable, standstill: Standstill): Queryable => {
  const query = async (...args: Parameters<Queryable['query']>) => {
    await standstill.hold()
    return client.query(...args)
  }
  return { query: query as unknown as Queryable['query'] }
}
