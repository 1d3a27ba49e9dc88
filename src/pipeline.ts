/**
 * The map: events → identity → profiles, then ClickHouse. This file lists the stages in order and is the only place
 * that joins them; when they run, and what happens if they fail, is `events/drive.ts`.
 */
import { rulesInterludes } from './apply-rules.ts'
import type { Context } from './context.ts'
import {
  type Batch,
  type Derived,
  type Driver,
  emptyEvents,
  entriesByWorkspace,
  type LoggedEntry,
  openDriver,
  type ProcessedEvent,
  projectEvents,
  readHistory,
  rebuildInterlude,
} from './events/index.ts'
import {
  emptyIdentity,
  emptyMap,
  type Identity,
  inputOf,
  type MapChange,
  openIdentity,
  projectMap,
  type Resolved,
  readMap,
  readRules,
  settleMap,
  touchedBy,
} from './identity/index.ts'
import {
  emptyProfiles,
  emptyProjectedProfiles,
  projectProfiles,
  type UnifiedProfile,
  unify,
  unifyAgain,
} from './profiles/index.ts'
import { isEvent } from './spec/event.ts'
import type { IdentityRules } from './spec/identifier.ts'
import type { Connection } from './store/postgres.ts'
import { unifiedEvents } from './unified-events.ts'
import { findIdentityKey } from './workspaces/index.ts'

/** What a block is to ClickHouse. */
interface Processed {
  map: MapChange[]
  profiles: UnifiedProfile[]
  events: ProcessedEvent[]
}

/** How often the recent part of ClickHouse's map is settled: it stays small, and quick to reload at every block. */
const SETTLE_EVERY_MS = 60_000

export function openPipeline(context: Context): Driver {
  const { clickhouse } = context
  const resolvers = new Map<number, Resolver>()
  const rules = rulesInterludes(context)
  let settleAt = 0

  async function resolve(client: Connection, workspaceId: number, entries: LoggedEntry[], batch: Batch) {
    const resolver = resolvers.get(workspaceId) ?? (await openResolver(context, client, workspaceId))
    resolvers.set(workspaceId, resolver)
    resolver.projected = batch.projected
    const inputs = entries.map(({ entry }) => inputOf(entry, resolver.rules))
    const resolved = await resolver.identity.resolve(client, inputs)
    return { resolver, resolved, events: unifiedEvents(entries, inputs, resolved.events, resolver.rules) }
  }

  return openDriver<Processed>(context, {
    async process(client, batch) {
      const processed: Processed = { map: [], profiles: [], events: [] }
      for (const [workspaceId, entries] of entriesByWorkspace(batch.groups, batch.excluded)) {
        const { resolver, resolved, events } = await resolve(client, workspaceId, entries, batch)
        await resolver.identity.write(client, resolved)
        const changes = {
          changedNodes: resolved.mapChanges.map(change => change.node),
          changedProfiles: touchedBy(resolved.changes),
        }
        processed.profiles.push(...(await unify(client, { workspaceId, block: batch.block, events, ...changes })))
        processed.map.push(...resolved.mapChanges)
        processed.events.push(...processedEvents(workspaceId, entries, resolved))
      }
      return processed
    },
    async reprocess(client, batch) {
      const processed: Processed = { map: [], profiles: [], events: [] }
      for (const [workspaceId, entries] of entriesByWorkspace(batch.groups, batch.excluded)) {
        const { resolved } = await resolve(client, workspaceId, entries, batch)
        const again = await unifyAgain(client, workspaceId, batch.block)
        processed.profiles.push(...again.profiles)
        processed.map.push(...(await readMap(client, workspaceId, again.changedNodes)))
        processed.events.push(...processedEvents(workspaceId, entries, resolved))
      }
      return processed
    },
    async project(block, processed) {
      // The map before the events: no row is ever shown under a person that it has just left.
      await projectMap(clickhouse, block, processed.map)
      await projectProfiles(clickhouse, block, processed.profiles)
      await projectEvents(clickhouse, block, processed.events)
      if (context.now() < settleAt) return
      await settleMap(clickhouse)
      settleAt = context.now() + SETTLE_EVERY_MS
    },
    // ClickHouse is told of applied rules before anything else: a rebuild would leave it with numbers that are no more.
    interludes: [rules.tell, rebuildInterlude(context, derivedIn(context)), rules.apply],
    forget: () => resolvers.clear(),
  })
}

/** Everything that is made from the log. */
const derivedIn = ({ clickhouse }: Context): Derived => ({
  async empty(client) {
    await emptyIdentity(client)
    await emptyProfiles(client)
  },
  async emptyProjection() {
    await emptyMap(clickhouse)
    await emptyProjectedProfiles(clickhouse)
    await emptyEvents(clickhouse)
  },
})

interface Resolver {
  identity: Identity
  rules: IdentityRules
  /** Of the batch under way: a device's past is read from ClickHouse, which must hold all of it. */
  projected(): Promise<void>
}

async function openResolver({ clickhouse }: Context, client: Connection, workspaceId: number): Promise<Resolver> {
  const identityKey = await findIdentityKey(client, workspaceId)
  if (!identityKey) throw new Error('the log names a workspace that does not exist')
  const rules = await readRules(client, workspaceId)
  const resolver: Resolver = {
    rules,
    projected: async () => {},
    identity: openIdentity({
      workspaceId,
      identityKey,
      rules,
      async fullHistory(device, partners) {
        await resolver.projected()
        return readHistory(clickhouse, workspaceId, device, partners)
      },
    }),
  }
  return resolver
}

const processedEvents = (workspaceId: number, entries: LoggedEntry[], resolved: Resolved): ProcessedEvent[] =>
  entries.flatMap(({ entry, ...place }, index) => {
    const found = resolved.events[index]
    if (!isEvent(entry) || !found) return []
    return [{ workspaceId, event: entry, ...place, node: found.hub, nodes: found.nodes }]
  })
